import t from 'tap';
import { MINUTE, SECOND } from '../../src/clients/time.js';
import { Member } from '../../src/flood/member.js';
import { parseIp } from '../../src/net/ip.js';
import { SeededRandom } from '../random.js';
import { at } from '../support.js';
import { nodeId } from './support.js';

t.test('of a node that did not answer is remembered so, until its record is gone', async (t) => {
  const member = new Member(nodeId(7));
  const info = { hostname: '', addresses: [parseIp('10.99.0.7')], port: 4444 };
  t.ok(member.isIdle(info));
  member.failed(info, at(0), new SeededRandom(1));
  t.notOk(member.isIdle(info));
  t.ok(member.isIdle(undefined), 'routers whose id is made by chance at each start are not remembered for ever');
  member.wantedSince = at(SECOND);
  t.notOk(member.isIdle(undefined));
});

t.test('whoever counts too far ahead in the name of a node keeps it from being heard only for a while', async (t) => {
  const member = new Member(nodeId(7));
  const endpoint = { host: 'fe80::7%mesh', port: 4444 };
  const hello = (count: number) => ({ node: nodeId(7), instance: 1n, count, port: 4444 });
  t.ok(member.hear(hello(5), endpoint, at(0)));
  member.hear(hello(0xffffffff), { host: 'fe80::bad%mesh', port: 4444 }, at(SECOND));
  member.hear(hello(6), endpoint, at(10 * SECOND));
  member.poll(at(MINUTE));
  t.equal(member.neighbourSince, undefined);
  t.ok(member.hear(hello(7), endpoint, at(MINUTE)));
});
