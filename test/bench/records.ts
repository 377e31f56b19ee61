/** Records as a mesh full of clients has them. */
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { nodeIdFromBytes } from '../../src/clients/node-id.js';
import type { Record } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { HOUR } from '../../src/clients/time.js';
import { ip4FromNumber, ip6FromBytes } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { macFromBytes } from '../../src/net/mac.js';

const NOW = 0 as Instant;

export const clientMac = (n: number): Mac => macFromBytes(Uint8Array.of(2, 0, n >> 24, n >> 16, n >> 8, n));

/** Four records a client: where it is, an IPv4 lease, a /64, and its name. As they come off the wire, each a string of its own. */
export function* recordsOfClients(count: number): Generator<Record> {
  const none = new Database();
  for (let n = 0; n < count; n++) {
    const mac = clientMac(n);
    const node = nodeIdFromBytes(Uint8Array.of(0, 0, 0, 0, 0, 0, (n >> 8) & 7, n));
    yield claims.claim(none, mac, node, NOW);
    yield claims.lease4(none, ip4FromNumber(0x0a000000 + n), mac, HOUR, NOW);
    yield claims.lease6(none, ip6FromBytes(Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, n >> 16, n >> 8, n, 0, 0, 0, 0, 0, 0, 0, 0)), mac, HOUR, NOW);
    yield claims.clientInfo(none, mac, { hostname: `device-${n}`, ssid: 'mesh' }, NOW)!;
  }
}
