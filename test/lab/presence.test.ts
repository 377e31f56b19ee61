/** Clients that no access point of ours tells of, and clients of which several do, on real kernels. */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { Client, PingStream } from './client.js';
import { BUILT, onLab, QUICK_BABELD, settles } from './harness.js';
import { Journey } from './journey.js';
import type { Lab, RouterName } from './lab.js';
import { sleep, until } from './shell.js';
import { GATEWAY4 } from './topology.js';

const WIRED = '02:00:00:00:00:51';
const PHONE = '02:00:00:00:00:52';

/** Where the routers say that a client is, as r3 knows it. */
async function whereIs(lab: Lab, mac: string): Promise<string> {
  return (await lab.routers.r3.clients()).find((client) => client.mac === mac)?.node_name ?? '';
}

let wired: Client;
let phone: Client;

await onLab(t, { name: 'twired', babeld: QUICK_BABELD, options: { presence: ['hostapd', 'fdb'], hold_time: '2' } }, [
  {
    name: 'a wired host is a client as soon as the bridge has learnt it',
    run: async (t, lab) => {
      await lab.net.addHost('wired', false);
      wired = new Client(lab.net, 'wired', WIRED, lab.directory, lab.cleanup);
      await wired.plugIn('r1');
      await wired.startDhcp();
      await wired.address(4);
      await lab.net.reach('server', await wired.address(4));
      await settles(t, 'it is at r1', 'r1', () => whereIs(lab, WIRED));
    },
  },
  {
    name: 'its cable goes over to another router',
    run: async (t, lab) => {
      const address = await wired.address(4);
      const stream = new PingStream(lab.net, 'server', address, 20, lab.cleanup);
      await until('the server reaches it', 10, async () => stream.answers > 10);
      await wired.roam('r2');
      const moved = Date.now();
      await lab.net.exec('wired', 'ping', '-c', '2', '-W', '1', GATEWAY4).catch(() => undefined);
      await until('the server reaches it at r2', 10, async () => stream.answeredSince(moved + 500));
      t.equal(await wired.address(4), address, 'it has the address that it had');
      await settles(t, 'it is at r2', 'r2', () => whereIs(lab, WIRED));
      await stream.stop();
    },
  },
  {
    name: 'its cable is pulled',
    run: async (t, lab) => {
      await lab.net.ip('r2', `link set ${wired.plug} down`);
      await settles(t, 'it is nowhere', '', () => whereIs(lab, WIRED));
    },
  },
]);

await onLab(t, { name: 'tband', babeld: QUICK_BABELD, options: { hold_time: '2' } }, [
  {
    name: 'a station that changes its band on one router keeps everything, and loses nothing when the old one notices',
    run: async (t, lab) => {
      phone = await lab.addClient('phone', PHONE, 'r1');
      await phone.startDhcp();
      const before = [await phone.address(4), await phone.address(6)];
      const journey = await Journey.start(lab, phone, BUILT.tcpPeer);
      const start = Date.now();
      lab.routers.r1.station({ authorize: PHONE, radio: 'wlan1' });
      await sleep(300);
      lab.routers.r1.station({ leave: PHONE, radio: 'wlan0' });
      await sleep(4000);
      t.same([await phone.address(4), await phone.address(6)], before);
      t.equal(await whereIs(lab, PHONE), 'r1');
      t.same(lab.routers.r1.removed, [], 'nobody was removed');
      for (const [name, stream] of Object.entries(journey.streams)) {
        t.ok(stream.gap(start, Date.now() - 500).longest < 300, `${name}: no gap`);
      }
      t.notOk(journey.tcpEnded);
      await journey.stop();
    },
  },
  {
    name: 'and leaves when the new one has lost it too',
    run: async (t, lab) => {
      lab.routers.r1.station({ leave: PHONE, radio: 'wlan1' });
      await settles(t, 'it is nowhere', '', () => whereIs(lab, PHONE));
    },
  },
]);

/** Everything of a router's kernel that the daemon could change. */
async function kernelOf(lab: Lab, router: RouterName): Promise<string[]> {
  const words = ['-4 rule', '-6 rule', '-4 route show table all', '-6 route show table all', 'nexthop', 'link'];
  const texts = await Promise.all(words.map((one) => lab.net.ip(router, one)));
  // Lifetimes count down, and babeld has its own business: what it does is not ours.
  return texts.flatMap((text) => text.split('\n')).filter((line) => line.trim() !== '' && !/babel|expires/.test(line)).map((line) => line.trim());
}

/** The same, once nothing changes any more: interfaces that have just come up still get their addresses. */
async function restingKernelOf(lab: Lab, router: RouterName): Promise<string[]> {
  let before = await kernelOf(lab, router);
  return until('the kernel rests', 20, async () => {
    await sleep(1000);
    const last = before;
    before = await kernelOf(lab, router);
    return isDeepStrictEqual(before, last) && before;
  });
}

await onLab(t, { name: 'tobs', babeld: QUICK_BABELD, options: { mode: 'observe', setup: '1', ipv6_mode: 'prefix' } }, [
  {
    name: 'observing: all is watched and said, nothing is changed, nobody is answered',
    programs: ['tcpdump'],
    run: async (t, lab) => {
      const before = await restingKernelOf(lab, 'r1');
      const frames = lab.service('r1', 'tcpdump', '-ln', '-i', 'br-client', '-Q', 'out', 'arp or udp port 67 or (icmp6 and (ip6[40] == 134 or ip6[40] == 136))');
      await until('tcpdump listens', 10, async () => frames.output.includes('listening'));
      const phone = await lab.addClient('phone', PHONE, 'r1');
      await phone.startDhcp();
      await until('the join is said', 10, async () => /02:00:00:00:00:52 is here, on br-client/.test(lab.routers.r1.daemon!.output));
      await sleep(2000);
      await lab.roam(phone, 'r2');
      await until('and the roam', 10, async () => /02:00:00:00:00:52 is here, on br-client/.test(lab.routers.r2.daemon!.output));
      await sleep(1000);
      await until('what would be told is said', 10, async () => /would tell: association 02:00:00:00:00:52/.test(lab.routers.r1.daemon!.output));
      t.pass('what would be told is said');
      t.same(lab.routers.r1.removed, [], 'nobody is removed');
      await settles(t, 'the kernel is as it was', before, () => kernelOf(lab, 'r1'));
      t.same(await lab.routers.r3.clients(), [], 'no other router has heard of it');
      t.same(frames.output.split('\n').filter((line) => /Reply|BOOTP\/DHCP, Reply|router advertisement/.test(line)), [], 'nobody is answered');
      t.notMatch(phone.dhcp!.output, /bound/);
    },
  },
]);
