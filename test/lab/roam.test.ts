/** A client walks from router to router of a real network: it keeps everything, and every kernel follows. */
import t from 'tap';
import type { Frame } from './capture.js';
import { Capture, faultOf, kindOf } from './capture.js';
import type { Client } from './client.js';
import { PingStream } from './client.js';
import type { Whereabouts } from './forwarding.js';
import { everyKernelFollows, forwardingOf, networkOf, wantedAt } from './forwarding.js';
import { BUILT, onLab, QUICK_BABELD, settles } from './harness.js';
import { Journey } from './journey.js';
import type { Lab, RouterName } from './lab.js';
import { ROUTERS } from './lab.js';
import { sleep, until } from './shell.js';
import { GATEWAY_MAC, SERVER4, SERVER6 } from './topology.js';

const MAC = '02:00:00:00:00:01';
const QUIET = '02:00:00:00:00:02';
const WALK: readonly RouterName[] = ['r2', 'r3', 'r1'];

let client: Client;
let capture: Capture | undefined;
let whereabouts: Omit<Whereabouts, 'at'>;

async function dhcpMessages(lab: Lab): Promise<number> {
  const counters = await Promise.all(ROUTERS.map((router) => lab.routers[router].counters()));
  return counters.reduce((sum, { dhcp4_received = 0 }) => sum + dhcp4_received, 0);
}

/** The frames that our side sent, by what they are. */
async function framesByKind(capture: Capture): Promise<Map<string, Frame[]>> {
  const kinds = new Map<string, Frame[]>();
  for (const frame of await capture.frames(`eth.src == ${GATEWAY_MAC}`)) {
    const kind = kindOf(frame);
    kinds.set(kind, [...(kinds.get(kind) ?? []), frame]);
  }
  return kinds;
}

await onLab(t, { name: 'troam', babeld: QUICK_BABELD }, [
  {
    name: 'a client joins: DHCP, SLAAC, and a way to it from every router',
    run: async (t, lab) => {
      client = await lab.addClient('client', MAC, 'r1', async (plugged) => {
        capture = await Capture.start(lab, plugged.name, 'eth0').catch(() => undefined);
      });
      await client.startDhcp();
      const [address4, address6] = [await client.address(4), await client.address(6)];
      t.match(address4, /^10\.44\./, 'an address of the IPv4 prefix');
      t.match(address6, /^2001:db8:44:/, 'an address of the IPv6 prefix');
      whereabouts = { mac: MAC, address4, address6 };
      for (const address of [address4, address6]) await lab.net.reach('server', address);
      await everyKernelFollows(t, lab.net, { ...whereabouts, at: 'r1' });
    },
  },
  {
    name: 'it roams r1, r2, r3, r1: addresses and connections stay, every stream comes back',
    run: async (t, lab) => {
      const before = { addresses: await client.addresses(), dhcp: await dhcpMessages(lab) };
      const journey = await Journey.start(lab, client, BUILT.tcpPeer);
      for (const to of WALK) {
        const { from, dead } = await journey.roam(to, 1500);
        t.strictSame(dead, [], `${from} to ${to}: all streams came back`);
        await everyKernelFollows(t, lab.net, { ...whereabouts, at: to });
        await until(`the access point of ${from} is told to forget it`, 5, async () => lab.routers[from as RouterName].removed.includes(MAC));
        t.ok(lab.routers[from as RouterName].removed.includes(MAC), `the access point of ${from} was told to forget it`);
      }
      const { echoed } = journey;
      await until('the TCP connection carries data', 5, async () => journey.echoed > echoed);
      t.notOk(journey.tcpEnded, 'the TCP connection of before the first roam still lives');
      t.strictSame(await client.addresses(), before.addresses, 'the same addresses');
      t.equal(await dhcpMessages(lab), before.dhcp, 'no DHCP message since');
      await settles(t, 'and r4 says where it is', 'r1', async () => (await lab.routers.r4.clients())[0]?.node_name);
      await journey.stop();
    },
  },
  {
    name: 'ten roams back and forth, each within 100 ms of the last: all is right in the end, wherever that is',
    run: async (t, lab) => {
      for (const [here, there] of [['r1', 'r3'], ['r2', 'r1']] as const) {
        await lab.roam(client, here);
        const before = await client.addresses();
        const journey = await Journey.start(lab, client, BUILT.tcpPeer);
        // Ten, and on the second way one more: it ends where it began, and at the other.
        const stays = [0, 90, 10, 80, 20, 70, 30, 60, 40, ...(here === 'r2' ? [50] : [])];
        let at: RouterName = here;
        for (const stay of stays) {
          at = at === here ? there : here;
          await lab.roam(client, at);
          await sleep(stay);
        }
        at = at === here ? there : here;
        const { dead, gaps } = await journey.roam(at, 5000);
        t.strictSame(dead, [], `all streams came back at ${at}`);
        t.comment(`gaps after the last roam: ${Object.values(gaps).map(({ longest }) => longest.toFixed(0)).join(', ')} ms`);
        await everyKernelFollows(t, lab.net, { ...whereabouts, at });
        for (const router of ROUTERS) {
          await settles(t, `${router} knows that it is at ${at}`, at, async () => (await lab.routers[router].clients())[0]?.node_name as RouterName);
        }
        const { echoed } = journey;
        await until('the TCP connection carries data', 5, async () => journey.echoed > echoed);
        t.notOk(journey.tcpEnded, 'the TCP connection lives');
        t.strictSame(await client.addresses(), before, 'the same addresses');
        t.notMatch(ROUTERS.map((router) => lab.routers[router].daemon!.output).join(''), / flaps /, 'it was not taken for two devices');
        await journey.stop();
      }
    },
  },
  {
    name: 'every frame that clients get of us decodes without a remark',
    programs: ['tshark'],
    run: async (t) => {
      await client.dhcp?.stop('SIGKILL');
      await sleep(500);
      await capture!.stop();
      const kinds = await framesByKind(capture!);
      for (const kind of ['DHCPOFFER', 'DHCPACK', 'RA', 'NA', 'ARP request', 'ARP reply']) {
        t.ok((kinds.get(kind)?.length ?? 0) > 0, `there is a frame of the kind ${kind}`);
      }
      for (const [kind, frames] of kinds) {
        t.strictSame(frames.map(faultOf).filter((fault) => fault !== ''), [], `${frames.length} of ${kind || 'another kind'}: no fault`);
      }
      t.strictSame(kinds.get('RA')?.filter((frame) => frame['eth.dst'] !== MAC), [], 'router advertisements go to the client alone');
    },
  },
  {
    name: 'a client that never sends a packet is reached after it roamed',
    programs: ['nft', 'tshark'],
    run: async (t, lab) => {
      const quiet = await lab.addClient('quiet', QUIET, 'r1');
      await quiet.startDhcp();
      const [address4, address6] = [await quiet.address(4), await quiet.address(6)];
      for (const server of [SERVER4, SERVER6]) await lab.net.reach('quiet', server);
      await until('r1 has learnt its addresses', 5, async () =>
        (await forwardingOf(lab.net, 'r1')).neighbours.includes(`${address6} ${QUIET}`),
      );
      await quiet.silence();
      const recorded = await Capture.start(lab, 'quiet', 'eth0');
      const streams = [address4, address6].map((to) => new PingStream(lab.net, 'server', to, 20, lab.cleanup));
      for (const to of ['r2', 'r3'] as const) {
        await lab.roam(quiet, to);
        const { neighbours, routes } = await until(`${to} has the routes to it`, 5, async () => {
          const found = await forwardingOf(lab.net, to);
          const wanted = wantedAt(to, { mac: QUIET, at: to, address4, address6 });
          const has = (key: 'routes' | 'neighbours') => wanted[key].every((line) => found[key].includes(line));
          return has('routes') && has('neighbours') && found;
        });
        t.ok(routes.includes(`${networkOf(address6)} dev br-client proto 44`), `${to} has the route to its /64`);
        for (const address of [address4, address6]) t.ok(neighbours.includes(`${address} ${QUIET}`), `${to} need not ask for ${address}`);
        const roamed = Date.now();
        await until(`pings through ${to} come back`, 5, async () => streams.every((stream) => stream.answeredSince(roamed)));
      }
      for (const stream of streams) await stream.stop();
      await recorded.stop();
      const asked = await recorded.frames(`eth.src == ${GATEWAY_MAC} && eth.dst.ig == 1 && (arp.opcode == 1 || icmpv6.type == 135)`);
      t.strictSame(asked, [], 'no router asked the link who has its addresses');
      const sent = await recorded.frames(`eth.src == ${QUIET}`);
      t.strictSame(sent, [], 'and it said nothing itself');
    },
  },
]);
