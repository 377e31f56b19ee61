/** A node that knows of two clients, for tests of what it shows. */
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { adjacenciesKey, adjacenciesValue } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { HOUR } from '../../src/clients/time.js';
import { BadInput } from '../../src/net/bytes.js';
import { parseIp4, parseIp6 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { History } from '../../src/status/history.js';
import type { StatusSource } from '../../src/status/methods.js';
import type { PeerStatus } from '../../src/status/peers.js';
import { at, nodeRecord } from '../support.js';

export const self = parseNodeId('0000000000000001');
export const other = parseNodeId('0000000000000002');
export const [phone, laptop] = [parseMac('02:00:00:00:00:01'), parseMac('02:00:00:00:00:02')];

/** 2026-01-01 at the instant 0. */
export const EPOCH = 1767225600;

export const peer: PeerStatus = {
  remote: '[::1]:4444',
  direction: 'out',
  state: 'up',
  standby: false,
  unresponsive: false,
  kind: 'roaming',
  node: other,
  since: 3.9,
  rtt: 1.23,
  bytesIn: 100,
  bytesOut: 200,
  recordsIn: 3,
  recordsOut: 4,
  error: undefined,
};

/** What was done, beside the source of a status that a clock at `clock.now` looks at. */
export function makeSource(): { source: StatusSource; clock: { now: Instant }; done: string[]; history: History } {
  const db = new Database();
  const history = new History(self, 4);
  const clock = { now: at(0) };
  const done: string[] = [];
  const now = clock.now;
  for (const [node, hostname] of [[self, 'r1'], [other, 'r2']] as const) {
    db.apply(nodeRecord(db, node, { hostname, addresses: [parseIp4('10.99.0.1')], port: 4444 }, now), now);
  }
  for (const [node, neighbours] of [[self, [other]], [other, [self, parseNodeId('0000000000000003')]]] as const) {
    db.apply(claims.assert(db, adjacenciesKey(node), adjacenciesValue(neighbours), HOUR, now), now);
  }
  db.apply(claims.claim(db, phone, self, now), now);
  db.apply(claims.lease4(db, parseIp4('10.44.0.9'), phone, HOUR, now), now);
  db.apply(claims.lease6(db, parseIp6('2001:db8:44:7::'), phone, HOUR, now), now);
  db.apply(claims.host(db, parseIp6('2001:db8:44:7::9'), phone, HOUR, now), now);
  db.apply(claims.claim(db, laptop, other, now), now);
  db.apply(claims.lease4(db, parseIp4('10.44.0.10'), laptop, HOUR, now), now);
  history.moved(phone, undefined, self, now);
  history.moved(laptop, undefined, other, now);
  const source: StatusSource = {
    version: '1',
    self,
    hostname: 'r1',
    db,
    history,
    now: () => clock.now,
    wallTime: () => EPOCH + clock.now / 1000,
    uptime: () => 12.7,
    clientsHere: () => 1,
    peers: () => [peer],
    routes: () => ({ installed: 2, pending: 0 }),
    counters: () => ({ roams: 1 }),
    problems: () => ['br-client is down'],
    disassociate(mac) {
      if (mac !== phone) throw new BadInput(`mac: ${mac} is not at this router`);
      done.push(`disassociate ${mac}`);
    },
    probe: async (mac) =>
      mac === phone
        ? { answered: true, address: parseIp4('10.44.0.9'), time: 3.14159 }
        : { answered: false, address: undefined, time: undefined },
    release({ mac, address }) {
      done.push(`release ${mac} ${address}`);
      return 2;
    },
    reload: async () => ['/etc/config/roaming:3: main.port: expected a whole number'],
  };
  return { source, clock, done, history };
}
