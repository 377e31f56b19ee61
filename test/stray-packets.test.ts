import t from 'tap';
import * as claims from '../src/clients/claims.js';
import { Database } from '../src/clients/database.js';
import { parseNodeId } from '../src/clients/node-id.js';
import type { Meaning } from '../src/clients/record.js';
import { meaningOf } from '../src/clients/record.js';
import { HOUR, SECOND } from '../src/clients/time.js';
import type { Ip, Ip4 } from '../src/net/ip.js';
import type { Mac } from '../src/net/mac.js';
import { formatPrefix } from '../src/net/prefix.js';
import { StrayPackets } from '../src/stray-packets.js';
import { at, configOf, TestClock, TestLog } from './support.js';

const [self, other] = [parseNodeId('0000000000000001'), parseNodeId('0000000000000002')];
const A = '10.44.0.9' as Ip4;
const phone = '02:00:00:00:00:01' as Mac;
const SITE = ["list interface 'br-lan'", "list prefix '10.44.0.0/16'"];

function start(...options: string[]) {
  const db = new Database();
  const log = new TestLog();
  const refused = new Set<Ip>();
  const sought: Ip[] = [];
  const applied: Meaning[] = [];
  const port = { caught: [] as string[], unreachable: [] as string[], stopped: false, error: undefined as Error | undefined };
  const strays = new StrayPackets({
    self,
    config: configOf(...SITE, ...options),
    db,
    clock: new TestClock(),
    log,
    strays: {
      start: async ({ caught, unreachable }) => {
        if (port.error !== undefined) throw port.error;
        port.caught = caught.map(formatPrefix);
        port.unreachable = unreachable.map(formatPrefix);
      },
      refuse: (address, isRefused) => void (isRefused ? refused.add(address) : refused.delete(address)),
      stop: async () => {
        port.stopped = true;
      },
    },
    services: () => ({ seek: (address: Ip) => sought.push(address) }) as never,
    apply: (record) => {
      db.apply(record, at(0));
      applied.push(meaningOf(record.key, record.value));
    },
    rearm: () => {},
  });
  return { db, log, refused, sought, applied, port, strays };
}

t.test('an address that nobody has is looked for here and everywhere, and refused for a while', async (t) => {
  const { strays, refused, sought, applied } = start();
  strays.caught(A, at(0));
  strays.caught(A, at(5));
  t.same(sought, [A]);
  t.same([...refused], [A]);
  t.match(applied, [{ type: 'seek', node: self, addresses: [A] }]);
  strays.poll(strays.nextDeadline!);
  t.same([...refused], []);
  t.equal(strays.nextDeadline, undefined);
  t.match(strays.counters, { sought: 1, limited: 0 });
});

t.test('a client that is at a router to which there is no way is refused, and not looked for', async (t) => {
  const { strays, db, refused, sought, applied } = start();
  db.apply(claims.lease4(db, A, phone, HOUR, at(0)), at(0));
  db.apply(claims.claim(db, phone, other, at(0)), at(0));
  strays.caught(A, at(0));
  t.same([...refused], [A]);
  t.same([sought, applied], [[], []]);
});

t.test('what another router looks for is asked for here, where it is an address of clients', async (t) => {
  const { strays, refused, sought, applied } = start();
  strays.asked([A, '192.0.2.1' as Ip4], at(0));
  t.same(sought, [A]);
  t.same([[...refused], applied], [[], []]);
});

t.test('IPv6 addresses are caught where clients share a prefix; else there is none in a /64 that nobody has', async (t) => {
  const own = start("list prefix '2001:db8:44::/48'");
  await own.strays.start();
  t.same([own.port.caught, own.port.unreachable], [['10.44.0.0/16'], ['2001:db8:44::/48']]);
  const shared = start("option ipv6_mode 'host'", "list prefix '2001:db8:45::/64'");
  await shared.strays.start();
  t.same([shared.port.caught, shared.port.unreachable], [['10.44.0.0/16', '2001:db8:45::/64'], []]);
});

t.test('option seek, at the start and later', async (t) => {
  const { strays, port, sought } = start("option seek '0'");
  await strays.start();
  t.same([port.caught, port.unreachable], [[], []]);
  strays.caught(A, at(0));
  t.same(sought, []);
  strays.configure(configOf(...SITE));
  t.same(port.caught, ['10.44.0.0/16']);
  strays.caught(A, at(SECOND));
  t.same(sought, [A]);
});

t.test('a kernel that cannot do it is said, and what is stopped stays so', async (t) => {
  const { strays, port, log, sought } = start();
  port.error = new Error('EOPNOTSUPP');
  await strays.start();
  t.same(log.lines, ['warn packets for unknown clients are not caught: EOPNOTSUPP']);
  await strays.stop();
  t.ok(port.stopped);
  strays.caught(A, at(0));
  t.same(sought, []);
});
