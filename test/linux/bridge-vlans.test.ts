/** Bridges that filter VLANs, with what a kernel said of one: fixtures/bridge-vlans.json says how it was made. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { BridgeStations } from '../../src/linux/bridge-stations.js';
import { BridgeVlans, CurrentVlans } from '../../src/linux/bridge-vlans.js';
import { parseBridgePort } from '../../src/linux/netlink/bridge-port.js';
import { parseFdbEntry } from '../../src/linux/netlink/fdb.js';
import { parseLink } from '../../src/linux/netlink/link.js';
import { parseEvent } from '../../src/linux/netlink/rtnetlink.js';
import type { NetlinkMessage } from '../../src/linux/netlink/wire.js';
import { ShortInput } from '../../src/net/bytes.js';
import { fromHex } from '../../src/net/bytes.js';
import { TestLog } from '../support.js';

type Recorded = { readonly [dump in 'links' | 'ports' | 'fdb']: readonly (readonly [type: number, payload: string])[] };

const recorded = JSON.parse(readFileSync(new URL('../fixtures/bridge-vlans.json', import.meta.url), 'utf8')) as Recorded;
const messages = (dump: keyof Recorded): NetlinkMessage[] =>
  recorded[dump].map(([type, payload]) => ({ type, flags: 0, sequence: 0, payload: fromHex(payload) }));
const parsed = <T>(dump: keyof Recorded, parse: (message: NetlinkMessage) => T | undefined) => messages(dump).map((message) => parse(message)!);

const links = parsed('links', parseLink);
const ports = parsed('ports', parseBridgePort);
const fdb = parsed('fdb', parseFdbEntry);
const [BRIDGE, P1, P2, ABOVE] = [2, 4, 6, 7];
const HOST_20 = '02:00:00:00:00:77';
const HOST_21 = '02:00:00:00:00:78';
/** The far end of p2, which the bridge has heard untagged. */
const HOST_1 = 'c6:4d:27:25:c9:38';

t.test('links and ports as the kernel tells them', async (t) => {
  t.match(links.find(({ name }) => name === 'br-lan'), { index: BRIDGE, kind: 'bridge', filtersVlans: true });
  t.match(links.find(({ name }) => name === 'br-lan.20'), { index: ABOVE, kind: 'vlan', vlan: { id: 20, lower: BRIDGE } });
  t.strictSame(links.find(({ name }) => name === 'p1')?.vlan, undefined, 'a veth is no VLAN, though it has an interface at its other end');
  t.strictSame(ports, [{ index: BRIDGE, vlan: 1 }, { index: P1, vlan: 20 }, { index: P2, vlan: 1 }]);
  t.strictSame(parseEvent(messages('ports')[1]!), { kind: 'port', removed: false, port: { index: P1, vlan: 20 } });
  t.match(fdb.find(({ mac }) => mac === HOST_20), { port: P1, bridge: BRIDGE, vlan: 20, learned: true });
});

t.test('a port that is cut short', async (t) => {
  const { payload } = messages('ports')[1]!;
  for (let length = 0; length < payload.length; length++) {
    try {
      const port = parseBridgePort({ ...messages('ports')[1]!, payload: payload.subarray(0, length) });
      if (port?.index !== P1) t.fail(`${length} bytes`);
    } catch (error) {
      if (!(error instanceof ShortInput)) throw error;
    }
  }
  t.throws(() => parseBridgePort({ ...messages('ports')[1]!, payload: payload.subarray(0, 15) }), ShortInput);
});

t.test('the interface that a VLAN comes up at', async (t) => {
  const vlans = new BridgeVlans(links, ports);
  t.equal(vlans.interfaceOf(BRIDGE, 20), 'br-lan.20');
  t.equal(vlans.interfaceOf(BRIDGE, 1), 'br-lan');
  t.equal(vlans.interfaceOf(BRIDGE, undefined), 'br-lan', 'learnt before it filtered');
  t.equal(vlans.interfaceOf(BRIDGE, 21), undefined);
  t.equal(vlans.interfaceOf(99, 20), undefined);
  const unfiltered = links.map(({ filtersVlans: _, ...link }) => link);
  t.equal(new BridgeVlans(unfiltered, ports).interfaceOf(BRIDGE, 20), 'br-lan');
});

t.test('the interface above a port', async (t) => {
  const vlans = new BridgeVlans(links, ports);
  t.equal(vlans.networkOf('p1', 'br-lan'), 'br-lan.20');
  t.equal(vlans.networkOf('p2', 'br-lan'), 'br-lan');
  t.equal(vlans.networkOf('wlan9', 'wlan9'), 'wlan9', 'no port');
  t.equal(vlans.networkOf('wlan9', 'br-lan'), 'br-lan', 'a port that is not known yet');
  t.equal(vlans.networkOf('wlan9', 'br-other'), 'br-other');
  const without = links.filter(({ name }) => name !== 'br-lan.20');
  t.equal(new BridgeVlans(without, ports).networkOf('p1', 'br-lan'), 'br-lan.20', 'the name that it will have');
  t.equal(new BridgeVlans(links, [{ index: P1 }]).networkOf('p1', 'br-lan'), 'p1', 'nothing untagged gets in');
});

t.test('all who need the VLANs have them read once, and again after a change', async (t) => {
  let dumps = 0;
  let failing = false;
  const answers: (() => void)[] = [];
  const vlans = new CurrentVlans({
    links: () => {
      dumps++;
      return new Promise((resolve, reject) => answers.push(() => (failing ? reject(new Error('answers were lost')) : resolve(links))));
    },
    bridgePorts: async () => ports,
  });
  const answer = () => answers.splice(0).forEach((one) => one());
  t.equal(vlans.known.links.size, 0, 'nothing is known before');
  const [first, second] = [vlans.read(), vlans.read()];
  vlans.changed();
  const third = vlans.read();
  answer();
  t.equal(await first, await second);
  t.not(await third, await first, 'what was being read may be from before the change');
  t.equal(await vlans.read(), await third);
  t.equal(dumps, 2);
  t.equal(vlans.known, await third);

  vlans.changed();
  failing = true;
  const failed = vlans.read();
  answer();
  await t.rejects(failed, { message: 'answers were lost' });
  t.equal(vlans.known, await third, 'what was known stands');
  failing = false;
  const again = vlans.read();
  answer();
  t.equal((await again).networkOf('p1', 'br-lan'), 'br-lan.20');
  t.equal(dumps, 4);
});

t.test('a router whose bridges have no VLANs is not asked for ports', async (t) => {
  const without = links.map(({ filtersVlans: _, ...link }) => link);
  const vlans = await BridgeVlans.read({ links: async () => without, bridgePorts: () => Promise.reject(new Error('asked')) });
  t.equal(vlans.networkOf('p1', 'br-lan'), 'br-lan');
});

t.test('hosts that the bridge has learnt, each on the interface of its VLAN', async (t) => {
  const events: string[] = [];
  let networks = ['br-lan.20'];
  let known = fdb;
  const stations = new BridgeStations({
    vlans: new CurrentVlans({ links: async () => links, bridgePorts: async () => ports }),
    rtnl: { fdb: async () => known, neighbours: async () => [] },
    log: new TestLog(),
    networks: () => networks,
    isAccessPoint: () => false,
  });
  const settled = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return events.splice(0);
  };
  const HEARD_20 = 'be:f7:35:52:67:48';
  stations.start((event) => event.kind !== 'neighbour' && events.push(`${event.kind} ${event.mac} ${event.kind === 'left' ? '' : event.network} ${event.via}`));
  t.same((await settled()).filter((event) => !event.includes(HEARD_20)), [`authorized ${HOST_20} br-lan.20 p1`]);

  networks = ['br-lan'];
  stations.refresh();
  t.same((await settled()).filter((event) => !event.includes(HEARD_20)), [`authorized ${HOST_1} br-lan p2`, `left ${HOST_20}  p1`]);

  // VLAN 21 has an interface now, and VLAN 20 is another client interface.
  networks = ['br-lan.20', 'br-lan'];
  const entry = { mac: HOST_21, port: P2, bridge: BRIDGE, learned: true } as (typeof fdb)[number];
  known = [{ ...entry, vlan: 20 }];
  stations.refresh();
  await settled();
  stations.take({ kind: 'fdb', removed: false, entry: { ...entry, vlan: 1 } });
  t.same(await settled(), [`authorized ${HOST_21} br-lan p2`]);
  stations.take({ kind: 'fdb', removed: true, entry: { ...entry, vlan: 20 } });
  t.same(await settled(), [], 'the entry of its old VLAN says nothing, as long as the port has it');
  stations.take({ kind: 'fdb', removed: true, entry: { ...entry, vlan: 1 } });
  t.same(await settled(), [`left ${HOST_21}  p2`]);
});
