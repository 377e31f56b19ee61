/**
 * A client that means harm, with frames of its own making, on the real stack: it takes nothing from the others. It is at
 * another router than they are: who is on the same link can do there what the access point lets him.
 */
import type { Test } from 'tap';
import t from 'tap';
import type { Dhcp4Message } from '../../src/dhcp4/message.js';
import { MessageType, writeDhcp4 } from '../../src/dhcp4/message.js';
import { arpFrame, ArpOperation } from '../../src/net/arp.js';
import { toHex } from '../../src/net/bytes.js';
import { writeUdpFrame4 } from '../../src/net/frame4.js';
import type { Ip4, Ip6 } from '../../src/net/ip.js';
import { ALL_NODES, ANY4, BROADCAST4, linkLocalOf } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { BROADCAST_MAC, macFromBytes, parseMac } from '../../src/net/mac.js';
import { ndFrame } from '../../src/net/nd.js';
import { message } from '../dhcp4/helpers.js';
import type { Fields } from '../dhcp4/helpers.js';
import type { Client } from './client.js';
import { PingStream } from './client.js';
import { forwardingOf } from './forwarding.js';
import { BUILT, onLab, QUICK_BABELD, settles } from './harness.js';
import type { Lab, RouterName } from './lab.js';
import { ROUTERS } from './lab.js';
import type { Service } from './shell.js';
import { sleep, until } from './shell.js';
import { GATEWAY4, GATEWAY_LL, GATEWAY_MAC } from './topology.js';

const VICTIM = parseMac('02:00:00:00:05:01');
const ATTACKER = parseMac('02:00:00:00:05:66');
/** The attacker's second station, which has no address. */
const NEWCOMER = parseMac('02:00:00:00:05:67');
const gateway = { mac: GATEWAY_MAC as Mac, address4: GATEWAY4 as Ip4, linkLocal: GATEWAY_LL as Ip6 };

let victim: Client;
let weapon: Service;
let streams: PingStream[];
let whereabouts: { address4: string; address6: string };

/** Has the attacker send those frames; resolves when all are sent. */
async function attack(frames: readonly Uint8Array[]): Promise<void> {
  const before = weapon.output;
  weapon.child.stdin!.write(`${frames.map((frame) => `${toHex(frame)}\n`).join('')}\n`);
  await until('the frames are sent', 30, async () => weapon.output !== before);
  await sleep(300);
}

/** From `source`, whoever it speaks for. */
function dhcp(source: Mac, type: keyof typeof MessageType, fields: Fields = {}): Uint8Array {
  const request: Dhcp4Message = message(type, { mac: source, ...fields });
  const unicast = request.ciaddr !== ANY4;
  return writeUdpFrame4({
    sourceMac: source,
    destinationMac: unicast ? gateway.mac : BROADCAST_MAC,
    source: request.ciaddr,
    destination: unicast ? gateway.address4 : BROADCAST4,
    sourcePort: 68,
    destinationPort: 67,
    payload: writeDhcp4(request),
  });
}

const claim4 = (source: Mac, address: Ip4) =>
  arpFrame(BROADCAST_MAC, { operation: ArpOperation.reply, senderMac: source, senderIp: address, targetMac: source, targetIp: address });

const advertisement = (source: Mac, target: Ip6) =>
  ndFrame(parseMac('33:33:00:00:00:01'), source, {
    source: target,
    destination: ALL_NODES,
    message: { type: 'na', target, router: true, solicited: false, override: true, options: [{ type: 'targetLinkLayer', mac: source }] },
  });

const routerAdvertisement = (source: Mac, from: Ip6, routerLifetime: number) =>
  ndFrame(parseMac('33:33:00:00:00:01'), source, {
    source: from,
    destination: ALL_NODES,
    message: {
      type: 'ra', hopLimit: 64, managed: false, other: false, preference: 'high', routerLifetime, reachableTime: 0, retransTimer: 0,
      options: [{ type: 'sourceLinkLayer', mac: source }],
    },
  });

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A client's own way: it asks for an address, and says that somebody has it. */
const declines = (address: Ip4) => [
  dhcp(NEWCOMER, 'discover', { requested: address }),
  dhcp(NEWCOMER, 'decline', { requested: address, server: gateway.address4 }),
];

async function nothingIsTaken(t: Test, lab: Lab): Promise<void> {
  const { address4, address6 } = whereabouts;
  const own = [`${address4} `, `${address6.split(':').slice(0, 4).join(':')}::/64 `];
  for (const [i, router] of ROUTERS.entries()) {
    const way = i === 0 ? 'dev br-client proto 44' : `dev to-${ROUTERS[i - 1]} proto 45 by object`;
    const routes = (await forwardingOf(lab.net, router)).routes.filter((route) => own.some((prefix) => route.startsWith(prefix)));
    t.strictSame(routes, own.map((prefix) => prefix + way), `${router} has the victim at r1`);
  }
  t.match((await lab.routers.r4.clients()).find(({ mac }) => mac === VICTIM), { node_name: 'r1' });
  for (const router of Object.values(lab.routers)) t.notOk(router.removed.includes(VICTIM), `${router.name} did not remove the victim`);
}

await onLab(t, { name: 'tbad', babeld: QUICK_BABELD }, [
  {
    name: 'a victim, and at another router one who means harm',
    run: async (t, lab) => {
      victim = await lab.addClient('victim', VICTIM, 'r1');
      await victim.startDhcp();
      whereabouts = { address4: await victim.address(4), address6: await victim.address(6) };
      streams = [whereabouts.address4, whereabouts.address6].map((to) => new PingStream(lab.net, 'server', to, 20, lab.cleanup));
      await until('pings flow', 10, async () => streams.every(({ answers }) => answers > 20));
      const attacker = await lab.addClient('attacker', ATTACKER, 'r2');
      weapon = lab.reader(attacker.name, process.execPath, BUILT.inject, BUILT.packetAddon, 'eth0');
      await until('r2 has the attacker', 10, async () => (await lab.routers.r2.clients()).some(({ mac }) => mac === ATTACKER));
      await attack([claim4(ATTACKER, '10.44.77.77' as Ip4)]);
      await until('its frames are heard: an address that nobody has is its own', 10, async () => {
        const found = (await lab.routers.r1.clients()).find(({ mac }) => mac === ATTACKER);
        return found?.addresses.includes('10.44.77.77');
      });
      t.equal((await lab.routers.r2.counters())['frames_malformed'], 0);
    },
  },
  {
    name: 'it sends as the victim: whom no access point there has let in, nobody listens to',
    run: async (t, lab) => {
      const start = Date.now();
      const { address4, address6 } = whereabouts;
      const strangers = async () => (await lab.routers.r2.counters())['frames_from_strangers']!;
      const before = await strangers();
      await attack([
        claim4(VICTIM, address4 as Ip4),
        advertisement(VICTIM, address6 as Ip6),
        dhcp(VICTIM, 'request', { ciaddr: address4 as Ip4 }),
        dhcp(VICTIM, 'release', { ciaddr: address4 as Ip4, server: gateway.address4 }),
        dhcp(VICTIM, 'decline', { requested: address4 as Ip4, server: gateway.address4 }),
      ]);
      t.ok(await until('all were heard, and counted', 5, async () => (await strangers()) - before >= 5));
      await nothingIsTaken(t, lab);
      for (const stream of streams) t.equal(stream.gap(start, Date.now() - 500).lost, 0, `no packet to ${stream.to} was lost`);
    },
  },
  {
    name: 'it says in its own name that it has the victim’s addresses, and asks for them',
    run: async (t, lab) => {
      const start = Date.now();
      const address4 = whereabouts.address4 as Ip4;
      await attack(many(20, () => [
        claim4(ATTACKER, address4),
        advertisement(ATTACKER, whereabouts.address6 as Ip6),
        dhcp(ATTACKER, 'request', { requested: address4 }),
        dhcp(ATTACKER, 'request', { ciaddr: address4 }),
        dhcp(ATTACKER, 'request', { requested: address4, server: gateway.address4 }),
        dhcp(ATTACKER, 'release', { ciaddr: address4, server: gateway.address4 }),
        dhcp(ATTACKER, 'decline', { requested: address4, server: gateway.address4 }),
      ]).flat());
      await nothingIsTaken(t, lab);
      for (const stream of streams) t.equal(stream.gap(start, Date.now() - 500).lost, 0, `no packet to ${stream.to} was lost`);
    },
  },
  {
    name: 'it says that it is the router',
    run: async (t, lab) => {
      const start = Date.now();
      await attack(many(20, () => [
        claim4(ATTACKER, gateway.address4),
        advertisement(ATTACKER, gateway.linkLocal),
        routerAdvertisement(ATTACKER, linkLocalOf(ATTACKER), 9000),
        routerAdvertisement(ATTACKER, gateway.linkLocal, 0),
      ]).flat());
      const said = `${ATTACKER} says that it has the gateway's address`;
      t.ok(await until('it is said', 5, async () => lab.routers.r2.daemon!.output.includes(said)), 'it is said, once');
      t.equal(lab.routers.r2.daemon!.output.split('says that it has the gateway').length, 2);
      const routes = await lab.net.ip('victim', '-6 route show default');
      t.match(routes, `via ${gateway.linkLocal}`);
      t.notMatch(routes, linkLocalOf(ATTACKER));
      await nothingIsTaken(t, lab);
      for (const stream of streams) t.equal(stream.gap(start, Date.now() - 500).lost, 0, `no packet to ${stream.to} was lost`);
    },
  },
  {
    name: 'DISCOVERs from thousands of MACs, and of its own: who comes gets an address all the same',
    run: async (t, lab) => {
      const random = (i: number) => macFromBytes(Uint8Array.of(2, 0x66, 0, 0, i >> 8, i & 0xff));
      await attack(many(3000, (i) => dhcp(random(i), 'discover')));
      await attack(many(3000, () => dhcp(ATTACKER, 'discover')));
      const honest = await lab.addClient('honest', '02:00:00:00:05:02', 'r2');
      await honest.startDhcp();
      t.match(await honest.address(4), /^10\.44\./);
      await settles(t, 'nobody has heard of the others', 3, async () => (await lab.routers.r4.clients()).length);
      await nothingIsTaken(t, lab);
    },
  },
  {
    name: 'it declines one address after the other: few are set aside, at every router',
    run: async (t, lab) => {
      const setAside = async (router: RouterName) => (await lab.routers[router].counters())['addresses_set_aside']!;
      lab.routers.r2.station({ authorize: NEWCOMER });
      await until('r2 has its other station', 10, async () => (await lab.routers.r2.clients()).some(({ mac }) => mac === NEWCOMER));
      // Slowly: of one client few messages are heard in a second.
      for (let i = 1; i <= 20; i++) {
        await attack(declines(`10.44.200.${i}` as Ip4));
        await sleep(200);
      }
      await until('r3 has heard of it', 10, async () => (await setAside('r3')) > 0);
      for (const router of ['r2', 'r3', 'r1'] as const) await settles(t, `${router}: so many`, 8, () => setAside(router));
      await sleep(500);
      t.equal(await setAside('r3'), 8, 'and no more');
      await nothingIsTaken(t, lab);
    },
  },
]);
