/** DHCP options (RFC 2132, and the RFCs named beside the codes): the area codec and the values. */
import { BadInput, equalBytes, Reader, Writer } from '../net/bytes.js';
import { dnsNameBytes } from '../net/dns-name.js';
import type { Ip4 } from '../net/ip.js';
import { ANY4, ip4FromBytes, ip4ToBytes } from '../net/ip.js';
import type { Prefix4 } from '../net/prefix.js';

/** Option codes, as IANA's registry names them. */
export const OptionCode = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  domainNameServer: 6,
  hostName: 12,
  domainName: 15,
  interfaceMtu: 26,
  broadcastAddress: 28,
  ntpServers: 42,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameterRequestList: 55,
  message: 56,
  maximumMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  clientIdentifier: 61,
  /** RFC 4039. */
  rapidCommit: 80,
  /** RFC 4702. */
  clientFqdn: 81,
  /** RFC 3046. */
  relayAgentInformation: 82,
  /** RFC 8925. */
  ipv6OnlyPreferred: 108,
  /** RFC 8910. */
  captivePortal: 114,
  /** RFC 3397. */
  domainSearch: 119,
  /** RFC 3442. */
  classlessStaticRoute: 121,
  /** Windows before 7 asks for {@link OptionCode.classlessStaticRoute} under this number. */
  microsoftClasslessStaticRoute: 249,
  end: 255,
} as const;

/** Raw values by code, in the order of the wire. A value longer than 255 bytes is several options there (RFC 3396). */
export type Options = ReadonlyMap<number, Uint8Array>;

/** A message that is not DHCP, or whose fields contradict each other. */
export class MalformedDhcp4 extends BadInput {
  override readonly name = 'MalformedDhcp4';
}

/**
 * RFC 3396: adds the options of one area, joining the value of a code that is there already. A short value that comes
 * twice the same was not split but sent twice, as some clients do with their identifier. Throws ShortInput.
 */
export function readOptionArea(area: Uint8Array, into: Map<number, Uint8Array>): void {
  const r = new Reader(area);
  while (r.left > 0) {
    const code = r.u8();
    if (code === OptionCode.pad) continue;
    // The end option may be missing where the options fill the area to its last byte.
    if (code === OptionCode.end) return;
    const value = r.take(r.u8());
    const before = into.get(code);
    if (before === undefined) into.set(code, value);
    else if (value.length === 255 || !equalBytes(before, value)) into.set(code, joined(before, value));
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  return new Writer(a.length + b.length).put(a).put(b).done();
}

/**
 * A value of fixed length. Of several in a row, as a list has them or the rule of RFC 3396 makes of an option that came
 * twice, the first counts. Throws {@link MalformedDhcp4} for any other length.
 */
function fixed(options: Options, code: number, length: number): Uint8Array | undefined {
  const value = options.get(code);
  if (value === undefined) return undefined;
  if (value.length === 0 || value.length % length !== 0) {
    throw new MalformedDhcp4(`option ${code} has ${value.length} bytes, not ${length}`);
  }
  return value.subarray(0, length);
}

export function optionU8(options: Options, code: number): number | undefined {
  return fixed(options, code, 1)?.[0];
}

export function optionU16(options: Options, code: number): number | undefined {
  const value = fixed(options, code, 2);
  return value && new Reader(value).u16();
}

export function optionU32(options: Options, code: number): number | undefined {
  const value = fixed(options, code, 4);
  return value && new Reader(value).u32();
}

/** An address; 0.0.0.0 is none. */
export function optionIp4(options: Options, code: number): Ip4 | undefined {
  const value = fixed(options, code, 4);
  const address = value && ip4FromBytes(value);
  return address === ANY4 ? undefined : address;
}

export function u8Value(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function u16Value(value: number): Uint8Array {
  return new Writer(2).u16(value).done();
}

export function u32Value(value: number): Uint8Array {
  return new Writer(4).u32(value).done();
}

export function textValue(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function addressesValue(addresses: readonly Ip4[]): Uint8Array {
  const w = new Writer(4 * addresses.length);
  for (const address of addresses) w.put(ip4ToBytes(address));
  return w.done();
}

/** A route for a client: `via` 0.0.0.0 says that the destination is on the link. */
export interface ClasslessRoute {
  readonly destination: Prefix4;
  readonly via: Ip4;
}

/** RFC 3442: prefix length, as many bytes of the destination as the length fills, router. */
export function classlessRoutesValue(routes: readonly ClasslessRoute[]): Uint8Array {
  const w = new Writer();
  for (const { destination, via } of routes) {
    const significant = Math.ceil(destination.length / 8);
    w.u8(destination.length).put(ip4ToBytes(destination.address).subarray(0, significant)).put(ip4ToBytes(via));
  }
  return w.done();
}

/** RFC 3397: domain names, without compression. Throws {@link BadInput} for what is no name. */
export function domainSearchValue(names: readonly string[]): Uint8Array {
  const w = new Writer();
  for (const name of names) w.put(dnsNameBytes(name));
  return w.done();
}
