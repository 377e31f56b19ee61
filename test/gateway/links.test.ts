import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import { after, SECOND } from '../../src/clients/time.js';
import { neededSettings } from '../../src/gateway/check.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../../src/gateway/gateway.js';
import { GatewayLinks } from '../../src/gateway/links.js';
import type { Ip4, Ip6 } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import type { Prefix4 } from '../../src/net/prefix.js';
import { formatPrefix, hostPrefix, parsePrefix } from '../../src/net/prefix.js';
import type { ClientLink, LinkChange, LinkControl } from '../../src/ports.js';
import { TestLog } from '../support.js';

const gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: ['10.44.0.1' as Ip4] };
const prefixes4 = [parsePrefix('10.44.0.0/16') as Prefix4];
const OWN_MAC = '02:00:00:00:00:01' as Mac;
const NOW = 0 as Instant;

/** One interface and its settings, in memory. */
class MemoryLink implements LinkControl {
  link: ClientLink = { network: 'br-client', ifindex: 7, mac: OWN_MAC, mtu: 1500, up: true, addresses: [] };
  values = new Map<string, string>();
  applied: LinkChange[] = [];
  refuse: LinkChange['op'] | undefined;
  hasFilter = true;
  filtered: readonly string[] = [];
  /** What the bridge below knows beside its own. */
  known: Mac | undefined;

  constructor() {
    for (const { name, value } of neededSettings('br-client', false)) this.values.set(name, value === '0' ? '1' : '0');
  }

  async settings(names: readonly string[]) {
    return new Map([...this.values].filter(([name]) => names.includes(name)));
  }

  async apply(changes: readonly LinkChange[]) {
    return changes.map((change) => {
      this.applied.push(change);
      if (change.op === this.refuse) return new Error('EPERM');
      this.#apply(change);
      return undefined;
    });
  }

  async blockRedirects(networks: readonly string[]) {
    if (!this.hasFilter) throw new Error('EOPNOTSUPP');
    this.filtered = networks;
  }

  stop() {
    this.filtered = [];
  }

  #apply(change: LinkChange): void {
    const { addresses } = this.link;
    if (change.op === 'setting') this.values.set(change.name, change.value);
    else if (change.op === 'mac') this.link = { ...this.link, mac: change.mac };
    else if ('to' in change) this.known = change.op === 'addMac' ? change.mac : undefined;
    else if (change.op === 'addAddress') this.link = { ...this.link, addresses: [...addresses, hostPrefix(change.address)] };
    else this.link = { ...this.link, addresses: addresses.filter(({ address }) => address !== change.address) };
  }

  get state(): string {
    return JSON.stringify([this.link, [...this.values]]);
  }
}

function start(setup: boolean) {
  const link = new MemoryLink();
  const log = new TestLog();
  const links = new GatewayLinks(link, log);
  const prepare = (now = NOW) => links.prepare([link.link], { interfaces: ['br-client'], gateway, prefixes4, setup, watchesOnly: false }, now);
  const told = () => log.lines.splice(0);
  return { link, links, prepare, told };
}

t.test('without setup nothing is changed, and each problem is said once for as long as it is there', async (t) => {
  const { link, links, prepare, told } = start(false);
  t.equal(await prepare(), false);
  t.same(link.applied, []);
  const first = told();
  t.equal(links.problems.length, 6);
  t.equal(first.length, 6, first.join('\n'));
  t.ok(first.every((line) => line.startsWith('warn ')));
  await prepare();
  t.same(told(), [], 'not again');
  link.link = { ...link.link, up: false };
  await prepare();
  t.match(told(), ['warn br-client is down'], 'only what is new');
  link.link = { ...link.link, up: true };
  await prepare();
  link.link = { ...link.link, up: false };
  await prepare();
  t.match(told(), ['warn br-client is down'], 'again, when it has come again');
  link.link = { ...link.link, up: true, mac: GATEWAY_MAC, addresses: [GATEWAY_LINK_LOCAL, gateway.addresses4[0]!].map((ip) => hostPrefix(ip)) };
  for (const { name, value } of neededSettings('br-client')) link.values.set(name, value);
  await prepare();
  t.same(told(), ['info br-client is as it should be now']);
  t.same(links.problems, []);
});

t.test('a kernel without IPv6 is not asked for the link-local address', async (t) => {
  const { link, links, prepare, told } = start(true);
  link.link = { ...link.link, withoutIp6: true };
  await prepare();
  await prepare();
  t.same(link.link.addresses.map(({ address }) => address), gateway.addresses4);
  t.same(links.problems, []);
  t.notMatch(told().join(), /fe80/);
});

t.test('an interface that is not there is said, once, until it comes or nobody wants it', async (t) => {
  const { link, links, told } = start(false);
  const wanted = { interfaces: ['br-client'], gateway, prefixes4, setup: false, watchesOnly: false };
  await links.prepare([link.link], wanted, NOW);
  t.equal(links.problems.length, 6);
  told();
  await links.prepare([], wanted, NOW);
  await links.prepare([], wanted, NOW);
  t.same(links.problems, ['there is no interface br-client: its clients are not served']);
  t.same(told(), links.problems.map((problem) => `warn ${problem}`));
  await links.prepare([link.link], wanted, NOW);
  t.equal(links.problems.length, 6);
  await links.prepare([], { ...wanted, interfaces: [] }, NOW);
  t.same(links.problems, []);
});

t.test('with setup the interface is made what it has to be, and put back', async (t) => {
  const { link, links, prepare, told } = start(true);
  const before = link.state;
  t.equal(await prepare(), true);
  t.same(link.link.mac, GATEWAY_MAC);
  t.same(link.link.addresses.map(formatPrefix), [`${GATEWAY_LINK_LOCAL}/128`, '10.44.0.1/32']);
  t.equal(link.values.get('net/ipv4/conf/br-client/forwarding'), '1');
  const order = link.applied.map(({ op }) => op);
  t.ok(order.lastIndexOf('setting') < order.indexOf('mac') && order.indexOf('mac') < order.indexOf('addAddress'), order.join());
  t.match(link.applied.filter(({ op }) => op === 'addAddress'), [{ length: 64 }, { length: 16 }], 'on the prefix of the clients');
  told();
  t.equal(await prepare(), false, 'nothing is left to do');
  t.same(told(), []);
  await links.restore();
  t.equal(link.state, before);
  link.applied = [];
  await links.restore();
  t.same(link.applied, [], 'once');
});

t.test('what another configuration does not want any more is taken back, as by a restart', async (t) => {
  const { link, links, told } = start(true);
  const before = link.state;
  const wanted = { interfaces: ['br-client'], gateway, prefixes4, setup: true, watchesOnly: false };
  const prepare = (changed: Partial<typeof wanted>, present = [link.link]) => links.prepare(present, { ...wanted, ...changed }, NOW);
  await prepare({});
  told();
  const other = { mac: '02:00:5e:00:52:13' as Mac, linkLocal: 'fe80::5eff:fe00:5213' as Ip6, addresses4: ['10.44.0.254' as Ip4] };
  t.equal(await prepare({ gateway: other }), true);
  t.match(link.link, { mac: other.mac });
  t.same(link.link.addresses.map(({ address }) => address), [other.linkLocal, '10.44.0.254'], 'clients may have the old address now');
  t.match(told().filter((line) => line.includes('back')), ['info set back: no address 10.44.0.1/16', `info set back: no address ${GATEWAY_LINK_LOCAL}/64`]);
  t.equal(await prepare({ gateway: other }), false, 'nothing is left to do');
  const settings = JSON.stringify([...link.values]);
  await prepare({ gateway: other }, []);
  t.equal(JSON.stringify([...link.values]), settings, 'an interface that is missing for the moment does not end forwarding');
  await prepare({ setup: false });
  t.match(JSON.parse(link.state)[1], JSON.parse(before)[1], 'nothing is to be set any more');
  await prepare({});
  const { length } = link.applied;
  t.equal(await prepare({ interfaces: [] }, []), true, 'nobody is served there any more');
  t.equal(link.state, before);
  t.ok(link.applied.length > length);
});

t.test('the bridge below a VLAN is told the MAC, and forgets it again', async (t) => {
  const { link, links, prepare, told } = start(true);
  link.link = { ...link.link, mac: GATEWAY_MAC, unknownTo: { bridge: 'br-lan', ifindex: 3, vlan: 20 } };
  t.equal(await prepare(), true);
  t.equal(link.known, GATEWAY_MAC);
  t.ok(told().includes(`info br-client: set MAC ${GATEWAY_MAC} in VLAN 20 of br-lan`));
  const { unknownTo: _, ...known } = link.link;
  link.link = known;
  t.equal(await prepare(), false);
  await links.restore();
  t.equal(link.known, undefined);
});

t.test('what was there before is not taken back', async (t) => {
  const { link, links, prepare } = start(true);
  link.link = { ...link.link, mac: GATEWAY_MAC, addresses: [hostPrefix(gateway.addresses4[0]!)] };
  await prepare();
  await links.restore();
  t.equal(link.link.mac, GATEWAY_MAC);
  t.same(link.link.addresses.map(formatPrefix), ['10.44.0.1/32']);
});

t.test('two calls at once, the second with what the first has changed since: still put back to what was first', async (t) => {
  const { link, links, prepare } = start(true);
  const before = link.state;
  await Promise.all([prepare(), prepare()]);
  await links.restore();
  t.equal(link.link.mac, OWN_MAC);
  t.same(JSON.parse(link.state)[1], JSON.parse(before)[1]);
});

t.test('what cannot be set is said', async (t) => {
  const { link, prepare, told } = start(true);
  link.refuse = 'mac';
  t.equal(await prepare(), true);
  t.match(told().filter((line) => line.startsWith('error')), [`error br-client: cannot set MAC ${GATEWAY_MAC}: EPERM`]);
});

t.test('another program that sets it otherwise is not fought for ever', async (t) => {
  const { link, links, prepare, told } = start(true);
  let rounds = 0;
  for (let i = 0; i < 50; i++) {
    link.link = { ...link.link, mac: OWN_MAC };
    if (await prepare()) rounds++;
  }
  t.equal(rounds, 5);
  t.match(told().filter((line) => line.startsWith('warn')), [/has the MAC/], 'then it is said');
  t.equal(links.nextSetup, after(NOW, 10 * SECOND), 'and when it is to be tried again');
  t.equal(await prepare(links.nextSetup), true);
  t.equal(links.nextSetup, undefined);
});

t.test('many interfaces are all set up at once', async (t) => {
  const { link, links } = start(true);
  const interfaces = Array.from({ length: 12 }, (_, i) => `br${i}`);
  const wanted = { interfaces, gateway, prefixes4, setup: true, watchesOnly: false };
  await links.prepare(interfaces.map((network, i) => ({ ...link.link, network, ifindex: i + 1 })), wanted, NOW);
  const set = link.applied.flatMap((change) => (change.op === 'mac' ? [change.ifindex] : []));
  t.same(set, interfaces.map((_, i) => i + 1));
});

t.test('redirects are filtered, whether or not there is setup', async (t) => {
  for (const setup of [false, true]) {
    const { link, links, prepare } = start(setup);
    await prepare();
    t.same(link.filtered, ['br-client']);
    t.equal(link.values.get('net/ipv4/conf/all/send_redirects'), '1', 'so this may be as it is');
    await links.restore();
    t.same(link.filtered, []);
  }
});

t.test('where the kernel has no packet filter, that is said once, and the settings have to do', async (t) => {
  const { link, prepare, told } = start(true);
  link.hasFilter = false;
  await prepare();
  t.equal(link.values.get('net/ipv4/conf/all/send_redirects'), '0');
  t.equal(link.values.get('net/ipv4/conf/br-client/send_redirects'), '0');
  await prepare();
  t.match(told().filter((line) => line.startsWith('warn')), [/^warn the kernel filters no packets \(EOPNOTSUPP\)/]);
  link.hasFilter = true;
  await prepare();
  t.same(told(), ['info the kernel is as it should be now']);
});

t.test('observing, nothing is changed', async (t) => {
  const { link, links } = start(false);
  await links.prepare([link.link], { interfaces: ['br-client'], gateway, prefixes4, setup: false, watchesOnly: true }, NOW);
  t.same(link.filtered, []);
  t.same(link.applied, []);
  t.equal(links.problems.length, 6, 'but said');
});
