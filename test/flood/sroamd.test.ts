/**
 * One database with sroamd: a conversation with its flood.c (b5ce126, version 1 of the protocol), recorded byte for
 * byte, is replayed; what we answered is what we have to answer still, and what it then held is what we hold.
 *
 * It was recorded from flood.c and util.c compiled with a main() that stores five data, accepts one connection, stores
 * a sixth two seconds later, and in the end prints its data as sroamd does on SIGUSR1. The whole program needs nl80211,
 * and so a kernel with radios, real or simulated: `make wifi-sroamd`. This test always runs.
 */
import t from 'tap';
import { Database } from '../../src/clients/database.js';
import { associationKey, lease4Key, macValue, nodeInfoValue, nodeKey, nodeValue } from '../../src/clients/record.js';
import type { RecordKey } from '../../src/clients/record.js';
import { after, SECOND } from '../../src/clients/time.js';
import { Flooder } from '../../src/flood/flooder.js';
import { parseIp4 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import type { Mesh, PeerStreamEvents } from '../../src/ports.js';
import { nodeId, PORT, START } from './support.js';
import { TestClock, TestLog } from '../support.js';
import { SeededRandom } from '../random.js';

const SELF = nodeId(0xaa);

/** O: ours, S: sroamd's; in the order in which they were written. */
const CONVERSATION: readonly (readonly ['O' | 'S' | 'we claim', string])[] = [
  ['S', '2c010000'],
  [
    'O',
    '2c010001' +
      '021e000000000e10098000000000000000aa0102723102040a6300010302115c' +
      '0216000100000e10070202000000000300000000000000aa' +
      '0212000100000e1005000a2c0007020000000003',
  ],
  [
    'S',
    '021200070000070805000a2c0009020000000001' +
      '0216ffff00000e10090120010db800440001020000000001' +
      '021600030000070807020200000000010123456789abcdef' +
      '020e0004000002580702020000000002' +
      '020c00010000003c03c8aabbccdd',
  ],
  ['S', '021600050000070807020200000000020123456789abcdef'],
  ['we claim', '02:00:00:00:00:01'],
  ['O', '0216000400000708070202000000000100000000000000aa'],
];

/** What sroamd printed in the end: sequence number, key, value. */
const HELD = [
  '7 000a2c0009 020000000001',
  '65535 0120010db800440001 020000000001',
  '4 02020000000001 00000000000000aa',
  '5 02020000000002 0123456789abcdef',
  '1 c8aabb ccdd',
  '0 8000000000000000aa 0102723102040a6300010302115c',
  '1 02020000000003 00000000000000aa',
  '1 000a2c0007 020000000003',
];

/** A mesh of one peer, whose part is recorded. */
class RecordedPeer {
  written = '';
  events: PeerStreamEvents | undefined;
  readonly mesh: Mesh = {
    listen: async () => {},
    dial: (_, opened) => {
      const write = (bytes: Uint8Array) => {
        this.written += Buffer.from(bytes).toString('hex');
        return true;
      };
      this.events = opened({ remote: '[::1]:4444', write, queued: 0, acknowledged: true, timeouts: undefined, end() {}, destroy() {} });
    },
    stop() {},
  };
}

t.test('a recorded conversation: the same bytes, and one database', async (t) => {
  const [clock, peer, db, log] = [new TestClock(START), new RecordedPeer(), new Database(), new TestLog()];
  const put = (key: RecordKey, value: string, seqno: number, seconds: number) => {
    const record = { key, value, seqno, expires: after(clock.now(), seconds * SECOND) };
    db.apply(record, clock.now());
    return record;
  };
  put(lease4Key(parseIp4('10.44.0.7')), macValue(parseMac('02:00:00:00:00:03')), 1, 3600);
  put(associationKey(parseMac('02:00:00:00:00:03')), nodeValue(SELF), 1, 3600);
  put(nodeKey(SELF), nodeInfoValue({ hostname: 'r1', addresses: [parseIp4('10.99.0.1')], port: 4444 }), 0, 3600);
  const flooder = new Flooder({ self: SELF, hostname: 'r1', replica: db, mesh: peer.mesh, clock, random: new SeededRandom(1), log });
  await flooder.start({ port: 0, peers: [{ host: '::1', port: PORT }] });
  for (const [who, what] of CONVERSATION) {
    if (who === 'S') peer.events!.data(Buffer.from(what, 'hex'));
    else if (who === 'we claim') flooder.flood(put(associationKey(parseMac(what)), nodeValue(SELF), 4, 1800));
    else t.ok(peer.written.startsWith(what) && (peer.written = peer.written.slice(what.length)) === '', what);
    clock.advance(0);
  }
  t.equal(peer.written, '', 'and not a byte more');
  const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');
  const held = Array.from(db.records(), ({ seqno, key, value }) => `${seqno} ${hex(key)} ${hex(value)}`);
  t.same(held.sort(), [...HELD].sort());
  t.match(flooder.peers(clock.now()), [{ kind: 'sroamd', state: 'up', recordsIn: 6, recordsOut: 4 }]);
  clock.advance(2 * 3600 * SECOND);
  t.equal(flooder.peers(clock.now())[0]?.state, 'up', 'it answers no keepalive, and needs not');
  t.equal(db.get(nodeKey(SELF))?.expires, after(START, 3600 * SECOND));
});
