import type { Ip } from './ip.js';
import { ipToBytes, isIp6 } from './ip.js';
import { Writer } from './bytes.js';

/** The Internet checksum (RFC 1071) of some byte runs, each but the last of even length. */
export function checksum(...runs: Uint8Array[]): number {
  let sum = 0;
  for (const run of runs) {
    const even = run.length & ~1;
    for (let i = 0; i < even; i += 2) sum += (run[i]! << 8) | run[i + 1]!;
    if (even < run.length) sum += run[even]! << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The pseudo header of UDP over IPv4 (RFC 768), and of UDP and ICMPv6 over IPv6 (RFC 8200 8.1). */
export function pseudoHeader(source: Ip, destination: Ip, protocol: number, length: number): Uint8Array {
  const w = new Writer(40).put(ipToBytes(source)).put(ipToBytes(destination));
  if (isIp6(source)) w.u32(length).zeros(3).u8(protocol);
  else w.u8(0).u8(protocol).u16(length);
  return w.done();
}
