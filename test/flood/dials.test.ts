import t from 'tap';
import type { NodeId } from '../../src/clients/node-id.js';
import { MINUTE, SECOND } from '../../src/clients/time.js';
import type { Dial } from '../../src/flood/dial.js';
import type { Ending } from '../../src/flood/dials.js';
import { CONFIGURED, Dials } from '../../src/flood/dials.js';
import { parseIp } from '../../src/net/ip.js';
import { SeededRandom } from '../random.js';
import { at } from '../support.js';
import { nodeId } from './support.js';

const [R1, R2] = [nodeId(1), nodeId(2)];

/** Some dials, and the sessions that the test has them believe in. */
function setUp() {
  const sessions = new Set<NodeId>();
  const failures: string[] = [];
  const dials = new Dials({
    random: new SeededRandom(1),
    hasSession: (node) => (node === undefined ? sessions.size > 0 : sessions.has(node)),
    failed: ({ name }, reason) => void failures.push(`${name} ${reason}`),
  });
  return { dials, sessions, failures };
}

function endpoint(host: string, node?: NodeId) {
  return node === undefined ? { host, port: 4444 } : { host, port: 4444, node };
}

function names(dials: readonly Dial[]): string[] {
  return dials.map(({ name }) => name);
}

function ending(what: Partial<Ending> = {}): Ending {
  return { node: undefined, isSelf: false, isFull: false, upSince: undefined, reason: undefined, ...what };
}

t.test('an endpoint is dialled as long as anybody wants it', async (t) => {
  const { dials } = setUp();
  t.strictSame(dials.want(CONFIGURED, [endpoint('r1'), endpoint('fe80::2')], at(0)), []);
  t.strictSame(dials.want('found', [endpoint('r1', R1)], at(0)), []);
  t.ok(dials.isWanted(R1));
  t.notOk(dials.isWanted(R2));
  t.notOk(dials.isWanted(undefined));
  t.equal(dials.nextDeadline, at(0));
  const begun = dials.begin(at(0));
  t.strictSame(names(begun), ['r1:4444', '[fe80::2]:4444']);
  t.strictSame(dials.begin(at(0)), [], 'each once');
  t.equal(dials.nextDeadline, undefined);
  t.strictSame(names(dials.want(CONFIGURED, [], at(1))), ['[fe80::2]:4444']);
  t.strictSame(begun.map((dial) => dials.has(dial)), [true, false]);
  t.strictSame(names(dials.want('found', [], at(1))), ['r1:4444']);
  t.notOk(dials.has(begun[0]!));
  dials.want('found', [endpoint('r1')], at(2));
  t.notOk(dials.has(begun[0]!), 'wanted anew it is another dial');
  dials.clear();
  t.strictSame(dials.status(at(2)), []);
});

t.test('nobody is dialled whom there is a session with, unless the endpoint is configured', async (t) => {
  const { dials, sessions } = setUp();
  sessions.add(R1);
  dials.want('found', [endpoint('a', R1)], at(0));
  t.strictSame(dials.begin(at(0)), []);
  t.strictSame(dials.status(at(0)), [], 'and that says nothing new');
  dials.want(CONFIGURED, [endpoint('b', R1)], at(0));
  const [dial] = dials.begin(at(0));
  t.equal(dial?.name, 'b:4444', 'routers may have changed places');
  dials.ended(dial!, ending({ node: R1 }), at(SECOND));
  t.equal(dials.status(at(2 * SECOND))[0]?.state, 'elsewhere');
  t.equal(dials.status(at(2 * SECOND))[0]?.since, 1);
  dials.lost(R2, at(MINUTE));
  dials.lost(R1, at(MINUTE));
  t.equal(dials.nextDeadline, undefined, 'another session with it is left');
  sessions.delete(R1);
  dials.lost(R1, at(MINUTE));
  t.strictSame(names(dials.begin(at(MINUTE + SECOND))), ['a:4444', 'b:4444'], 'within a second');
});

t.test('when to dial again, by how the connection ended', async (t) => {
  const { dials, sessions, failures } = setUp();
  dials.want(CONFIGURED, [endpoint('r1')], at(0));
  const [dial] = dials.begin(at(0)) as [Dial];
  /** The wait after an ending, in seconds. */
  const waitAfter = (end: Ending, now = at(0)) => {
    dials.ended(dial, end, now);
    return (dials.nextDeadline! - now) / SECOND;
  };
  const isFirst = (wait: number) => wait >= 0.5 && wait < 1;
  t.equal(waitAfter(ending({ isSelf: true, node: R1 })), 600);
  t.equal(dials.status(at(0))[0]?.error, 'this node itself');
  t.strictSame(failures, []);
  t.ok(isFirst(waitAfter(ending({ isFull: true, node: R1 }))), 'full, and there is nobody else');
  t.strictSame(failures, ['r1:4444 connection closed']);
  sessions.add(R2);
  t.ok(waitAfter(ending({ isFull: true, node: R1 })) >= 300, 'full, and there are others');
  const second = waitAfter(ending({ reason: 'no handshake in time' }));
  t.ok(second >= 1 && second < 2, 'the second failure');
  t.strictSame(failures, ['r1:4444 connection closed', 'r1:4444 no handshake in time']);
  const third = waitAfter(ending({ node: R1, upSince: at(0), reason: 'reset' }), at(9 * SECOND));
  t.ok(third >= 2 && third < 4, 'a session of a short while is no success');
  t.ok(isFirst(waitAfter(ending({ node: R1, upSince: at(0), reason: 'reset' }), at(10 * SECOND))));
  t.equal(failures.length, 2, 'what was a session has not failed');
  dials.want(CONFIGURED, [], at(0));
  dials.ended(dial, ending(), at(0));
  t.equal(failures.length, 2, 'what nobody wants any more does not matter');
});

t.test('a path to a node or an address: what failed for want of one is due at once, or half a second after the last try', async (t) => {
  const { dials, sessions } = setUp();
  const [address, other] = [parseIp('10.99.0.1'), parseIp('10.99.0.2')];
  dials.want(CONFIGURED, [endpoint(address), endpoint(other)], at(0));
  dials.want('found', [endpoint('fe80::1%mesh0', R1)], at(0));
  const all = dials.begin(at(0)) as [Dial, Dial, Dial];
  const due = () => all.map(({ state, retryAt }) => (state === 'waiting' ? retryAt : state));
  for (const dial of all) dials.failed(dial, 'no route to it', at(10));
  const [first, second, third] = due();
  dials.pathFound(address, at(20));
  t.strictSame(due(), [at(500), second, third]);
  dials.pathFound(R1, at(30));
  t.strictSame(due(), [at(500), second, at(500)]);
  dials.pathFound(address, at(450));
  t.strictSame(due()[0], at(500), 'another time changes nothing');
  dials.begin(at(500));
  t.strictSame(due(), ['dialling', second, 'dialling']);
  t.ok(all[0].isPending(at(500)) && !all[0].isPending(at(0)));
  dials.pathFound(address, at(600));
  t.strictSame(due()[0], at(1000), 'one without an answer is begun anew');
  t.notOk(all[0].isPending(at(500)), 'and what becomes of it says nothing');
  dials.pathFound(other, at(200 * SECOND));
  t.strictSame(due()[1], second, 'what is due already stays so');
  t.ok(Number(first) > at(500), 'sooner than by the back-off');

  const [dial] = dials.begin(at(1000)) as [Dial];
  sessions.add(R2);
  for (const end of [ending({ isSelf: true, node: R1 }), ending({ isFull: true, node: R1 }), ending({ node: R2 })]) {
    dials.ended(dial, end, at(1000));
    const before = due()[0];
    dials.pathFound(address, at(2000));
    t.strictSame(due()[0], before, 'itself, full, or connected already: another path does not help');
  }
});
