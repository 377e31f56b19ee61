import type { Brand } from './brand.js';
import { BadInput, HEX } from './bytes.js';

/** A 48-bit MAC address in canonical form: lower case, colons, `02:00:5e:00:53:01`. */
export type Mac = Brand<string, 'Mac'>;

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff' as Mac;

const SHAPE = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Reads `aa:bb:cc:dd:ee:ff`, in either case, with colons or hyphens. Throws {@link BadInput}. */
export function parseMac(text: string): Mac {
  const canonical = text.toLowerCase().replaceAll('-', ':');
  if (!SHAPE.test(canonical)) throw new BadInput(`not a MAC address: ${text}`);
  return canonical as Mac;
}

/** The address in the six bytes at `offset`. */
export function macFromBytes(bytes: Uint8Array, offset = 0): Mac {
  if (bytes.length < offset + 6) throw new BadInput(`a MAC address has 6 bytes, not ${bytes.length - offset}`);
  const digits = (i: number) => HEX[bytes[offset + i]!];
  // Joined it is one piece of memory, where text put together from pieces keeps each.
  return [digits(0), digits(1), digits(2), digits(3), digits(4), digits(5)].join(':') as Mac;
}

export function macToBytes(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) bytes[i] = byteAt(mac, 3 * i);
  return bytes;
}

function byteAt(mac: Mac, at: number): number {
  return (nibble(mac.charCodeAt(at)) << 4) | nibble(mac.charCodeAt(at + 1));
}

/** The value of a lower-case hexadecimal digit's character code. */
function nibble(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** The group bit (IEEE 802): multicast and broadcast, never the address of a station. */
export function isGroupMac(mac: Mac): boolean {
  return (byteAt(mac, 0) & 1) === 1;
}

/** Whether the U/L bit (IEEE 802) says that it was assigned to a maker, so that no other device should have it. */
export function isUniversalMac(mac: Mac): boolean {
  return (parseInt(mac.slice(0, 2), 16) & 2) === 0;
}

/** Whether a device can have it: not a group address, not all zero. */
export function isStationMac(mac: Mac): boolean {
  return !isGroupMac(mac) && mac !== '00:00:00:00:00:00';
}
