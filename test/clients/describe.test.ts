import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { describeRecord } from '../../src/clients/describe.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { RecordKey } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { HOUR } from '../../src/clients/time.js';
import { parseIp4, parseIp6 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { nodeRecord } from '../support.js';

t.test('each kind of record is one line', async (t) => {
  const db = new Database();
  const mac = parseMac('02:00:00:00:00:01');
  const node = parseNodeId('0000000000000001');
  const now = 0 as Instant;
  const lines = [
    claims.lease4(db, parseIp4('10.44.0.9'), mac, HOUR, now),
    claims.lease6(db, parseIp6('2001:db8:44:7::'), mac, HOUR, now),
    claims.claim(db, mac, node, now),
    { ...claims.claim(db, mac, node, now), value: '' },
    claims.host(db, parseIp6('2001:db8::1'), mac, HOUR, now),
    nodeRecord(db, node, { hostname: 'r1', addresses: [parseIp4('10.99.0.1')], port: 4444 }, now),
    claims.clientInfo(db, mac, { hostname: 'phone', ssid: 'mesh' }, now)!,
    claims.declined(db, parseIp4('10.44.0.9'), mac, HOUR, now),
    { key: '\x63x' as RecordKey, value: '', seqno: 7, expires: now },
  ].map((record) => describeRecord(record, now));
  t.same(lines, [
    'lease4 10.44.0.9 -> 02:00:00:00:00:01, number 0, 3600 s left',
    'lease6 2001:db8:44:7::/64 -> 02:00:00:00:00:01, number 0, 3600 s left',
    'association 02:00:00:00:00:01 -> 0000000000000001, number 0, 3600 s left',
    'association 02:00:00:00:00:01 -> gone, number 0, 3600 s left',
    'host 2001:db8::1 -> 02:00:00:00:00:01, number 0, 3600 s left',
    'node 0000000000000001 -> r1 at 10.99.0.1, number 0, 3600 s left',
    "client 02:00:00:00:00:01 -> 'phone' on 'mesh', number 0, 3600 s left",
    'declined 10.44.0.9 by 02:00:00:00:00:01, number 0, 3600 s left',
    'record of type 99, number 7, 0 s left',
  ]);
});
