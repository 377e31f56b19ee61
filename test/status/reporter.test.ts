import t from 'tap';
import { Reporter } from '../../src/status/reporter.js';
import { EPOCH, laptop, makeSource, other, peer, phone, self } from './support.js';
import { at, turn } from '../support.js';

function start() {
  const { source, clock, history } = makeSource();
  const told: { type: string; data: object }[] = [];
  const bus = { publish() {}, notify: (type: string, data: () => object) => void told.push({ type, data: data() }), stop() {} };
  return { reporter: new Reporter(source, bus), clock, history, told };
}

t.test('join, roam, leave, with what is known of the client', async (t) => {
  const { reporter, clock, history, told } = start();
  clock.now = at(5000);
  reporter.authorized(phone, other, clock.now);
  reporter.moved(phone, other, self);
  clock.now = at(5002);
  reporter.served(phone, 'routed');
  reporter.served(phone, 'announced');
  t.same(told, [], 'what is on its way to peers and kernel goes first');
  await turn();
  reporter.moved(phone, undefined, self);
  await turn();
  reporter.moved(phone, self, undefined);
  await turn();
  t.same(told.map(({ type }) => type), ['roam', 'join', 'leave']);
  t.match(told[0]!.data, { mac: phone, node: self, since: EPOCH + 5, roams: 1, from: other, from_name: 'r2' });
  t.same([...history.roams()][0]!.times, { authorized: 5000, known: 5000, routed: 5002, announced: 5002 });
});

t.test('when a station was lost is a step of its next roam, where its client was here', async (t) => {
  const { reporter, clock, history } = start();
  clock.now = at(10);
  reporter.left(phone, clock.now);
  reporter.left(laptop, clock.now);
  clock.now = at(12);
  reporter.moved(phone, self, other);
  reporter.moved(laptop, self, other);
  const [ofLaptop, ofPhone] = [...history.roams()].map(({ times }) => times);
  t.same(ofPhone, { left: 10, known: 12 });
  t.same(ofLaptop, { known: 12 }, 'it was at the other router by then');
});

t.test('that a claim is flooded is noted while tracing', async (t) => {
  const { reporter, history } = start();
  reporter.moved(phone, other, self);
  reporter.flooded(phone);
  history.tracing = true;
  reporter.moved(laptop, other, self);
  reporter.flooded(laptop);
  const [ofLaptop, ofPhone] = [...history.roams()].map(({ times }) => times);
  t.same(ofPhone, { known: 0 });
  t.same(ofLaptop, { known: 0, flooded: 0 });
});

t.test('a client of whom nothing is known any more', async (t) => {
  const { reporter, told } = start();
  const mac = '02:00:00:00:00:77' as typeof phone;
  reporter.moved(mac, self, undefined);
  await turn();
  t.same(told, [{ type: 'leave', data: { mac, from: self, from_name: 'r1' } }]);
});

t.test('peers and conflicts', async (t) => {
  const { reporter, told } = start();
  reporter.peer(peer);
  reporter.peer({ ...peer, state: 'down' }, 'connection closed');
  reporter.conflict({ kind: 'association', mac: phone, node: other });
  reporter.conflict({ kind: 'gateway', mac: phone, address: '10.44.0.1' });
  reporter.conflict({ kind: 'node', node: self, remote: '[::1]:9' });
  t.match(told, [
    { type: 'peer', data: { state: 'up', node_name: 'r2' } },
    { type: 'peer', data: { state: 'down', reason: 'connection closed' } },
    { type: 'conflict', data: { kind: 'association', mac: phone, node: other, node_name: 'r2' } },
    { type: 'conflict', data: { kind: 'gateway', mac: phone, address: '10.44.0.1' } },
    { type: 'conflict', data: { kind: 'node', node: self, node_name: 'r1', remote: '[::1]:9' } },
  ]);
});

t.test('what somebody has to see to is a problem for ten minutes after it was last seen', async (t) => {
  const { reporter, clock, told } = start();
  reporter.conflict({ kind: 'association', mac: phone, node: other });
  t.same(reporter.problems(), [], 'that is settled without anybody');
  reporter.conflict({ kind: 'flap', mac: phone, node: other }, 'phone flaps');
  clock.now = at(9 * 60_000);
  reporter.conflict({ kind: 'flap', mac: laptop, node: other }, 'laptop flaps');
  t.same(reporter.problems(), ['phone flaps', 'laptop flaps']);
  const before = told.length;
  t.equal(reporter.conflict({ kind: 'flap', mac: laptop, node: other }, 'laptop flaps'), false, 'known already');
  t.equal(told.length, before);
  clock.now = at(11 * 60_000);
  t.same(reporter.problems(), ['laptop flaps']);
  for (let i = 0; i < 100; i++) reporter.conflict({ kind: 'node', node: other, remote: 'x' }, `line ${i}`);
  t.same([reporter.problems().length, reporter.problems().at(-1)], [20, 'line 99'], 'but not without end');
});
