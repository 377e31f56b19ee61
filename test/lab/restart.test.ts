/** What is around the daemon, and the daemon itself, ends and starts again while a client is there. */
import { writeFile } from 'node:fs/promises';
import type { Test } from 'tap';
import t from 'tap';
import type { Client } from './client.js';
import { PingStream } from './client.js';
import type { Whereabouts } from './forwarding.js';
import { everyKernelFollows, forwardingOf, NOTHING } from './forwarding.js';
import { onLab, QUICK_BABELD, settles } from './harness.js';
import type { Lab, RouterName } from './lab.js';
import { ROUTERS } from './lab.js';
import { sleep, until } from './shell.js';
import { GATEWAY4, SERVER4, SERVER6 } from './topology.js';

const MAC = '02:00:00:00:00:01';

/** The daemon removes what an earlier run left and nobody wants ten seconds after its start. */
const SETTLED = 11_000;

let client: Client;
let whereabouts: Whereabouts;

async function clientReachesServer(lab: Lab): Promise<void> {
  for (const server of [SERVER4, SERVER6]) await lab.net.reach(client.name, server);
}

/** The other routers have no route to any client. */
async function noRoutesBeside(t: Test, lab: Lab, except: RouterName): Promise<void> {
  for (const router of ROUTERS.filter((name) => name !== except)) {
    await settles(t, `${router} has no route to the client`, [], async () => (await forwardingOf(lab.net, router)).routes);
  }
}

/** What a daemon says from now on. */
function outputFrom(lab: Lab, router: RouterName): () => string {
  const { daemon } = lab.routers[router];
  const start = daemon!.output.length;
  return () => daemon!.output.slice(start);
}

await onLab(t, { name: 'trestart', babeld: QUICK_BABELD }, [
  {
    name: 'daemons are killed and start again: no route is ever away, no packet lost, the client stays associated',
    run: async (t, lab) => {
      client = await lab.addClient('client', MAC, 'r1');
      await client.startDhcp();
      const [address4, address6] = [await client.address(4), await client.address(6)];
      whereabouts = { mac: MAC, at: 'r1', address4, address6 };
      await clientReachesServer(lab);
      await everyKernelFollows(t, lab.net, whereabouts);
      const streams = [address4, address6].map((to) => new PingStream(lab.net, 'server', to, 10, lab.cleanup));
      await until('pings flow', 5, async () => streams.every(({ answers }) => answers > 20));
      const start = Date.now();
      const killed = ['r1', 'r4'] as const;
      const monitors = killed.flatMap((name) => [4, 6].map((f) => lab.service(name, 'ip', `-${f}`, 'monitor', 'route')));
      await sleep(200);
      for (const name of killed) {
        await lab.routers[name].daemon!.stop('SIGKILL');
        await sleep(300);
        lab.routers[name].startDaemon();
        await lab.routers[name].ready();
      }
      await sleep(SETTLED);
      for (const monitor of monitors) t.notMatch(monitor.output, /Deleted .*table 44/, 'no route was away');
      for (const name of killed) {
        for (const other of ['192.0.2.99', '2001:db8::99']) {
          await lab.net.ip(name, `route add ${other} dev lo table 44 proto static`);
          await lab.net.ip(name, `route del ${other} dev lo table 44 proto static`);
        }
      }
      for (const monitor of monitors) {
        await until('the monitors see what is deleted', 5, async () => /Deleted .*[.:]99 .*table 44/.test(monitor.output));
        await monitor.stop();
      }
      await everyKernelFollows(t, lab.net, whereabouts);
      for (const name of killed) t.equal((await lab.routers[name].clients())[0]?.node_name, 'r1', `${name} knows where the client is`);
      for (const stream of streams) {
        t.strictSame(stream.gap(start, Date.now() - 300).lost, 0, `no packet to ${stream.to} was lost`);
        await stream.stop();
      }
      await clientReachesServer(lab);
      t.strictSame(ROUTERS.flatMap((name) => lab.routers[name].removed), [], 'no access point was told to remove the client');
    },
  },
  {
    name: 'ubusd and the access point are killed and start again: the daemon finds them, the client never left',
    run: async (t, lab) => {
      const { r1 } = lab.routers;
      const said = outputFrom(lab, 'r1');
      await r1.restartAccessPoint([MAC]);
      await until('the daemon answers again', 10, () => r1.clients().then(() => true, () => false));
      const [found] = await r1.clients();
      t.match(found, { mac: MAC, node_name: 'r1', here: true }, 'the client is still there');
      t.notMatch(said(), /has left/, 'and was so all the time');
      await everyKernelFollows(t, lab.net, whereabouts);
      await lab.roam(client, 'r2');
      await everyKernelFollows(t, lab.net, { ...whereabouts, at: 'r2' });
      await until('the new access point was told to forget it', 5, async () => r1.removed.includes(MAC));
      await lab.roam(client, 'r1');
      await everyKernelFollows(t, lab.net, whereabouts);
    },
  },
  {
    name: 'SIGHUP: another configuration is taken with all clients kept, a wrong one is refused; SIGUSR1: the database',
    run: async (t, lab) => {
      const { r1 } = lab.routers;
      const said = outputFrom(lab, 'r1');
      await r1.writeConfig({ dns: ['10.44.0.1', '192.0.2.53'], lease_time: '30m' });
      r1.daemon!.child.kill('SIGHUP');
      await until('it was read', 5, async () => /configuration read again/.test(said()));
      await everyKernelFollows(t, lab.net, whereabouts);
      client.dhcp!.output = '';
      client.dhcp!.child.kill('SIGUSR1');
      const renewed = await until('the client renews', 10, async () => /^renew \d.*/m.exec(client.dhcp!.output)?.[0]);
      t.match(renewed, `renew ${whereabouts.address4}/`, 'the same address');
      t.match(renewed, 'dns 10.44.0.1 192.0.2.53 lease 1800', 'and what the new configuration says');
      await writeFile(r1.configFile, "config roaming 'main'\n\toption enabled '1'\n\toption lease_time 'soon'\n\toption prot '1'\n");
      r1.daemon!.child.kill('SIGHUP');
      for (const line of [':3: main.lease_time: expected a time', ':4: main.prot: unknown option; port is meant?']) {
        await until(`the log says ${line}`, 5, async () => said().includes(`${r1.configFile}${line}`));
      }
      await everyKernelFollows(t, lab.net, whereabouts);
      r1.daemon!.child.kill('SIGUSR1');
      for (const record of [`association ${MAC} -> `, `lease4 ${whereabouts.address4} -> ${MAC}`]) {
        await until(`${record} is in the log`, 5, async () => said().includes(record));
      }
      await until('and r4 is', 5, async () => /node [0-9a-f]{16} -> r4 at /.test(said()));
      t.pass('the database is in the log');
      await r1.writeConfig({});
    },
  },
  {
    name: 'a clean stop leaves nothing and withdraws the clients; with option linger it leaves everything',
    run: async (t, lab) => {
      const { r1, r4 } = lab.routers;
      await r4.daemon!.stop();
      t.equal(r4.daemon!.child.exitCode, 0);
      t.strictSame(await forwardingOf(lab.net, 'r4'), NOTHING, 'r4 holds nothing');
      r4.startDaemon();
      await r4.ready();
      await everyKernelFollows(t, lab.net, whereabouts);

      await r1.daemon!.stop();
      t.equal(r1.daemon!.child.exitCode, 0);
      t.strictSame(await forwardingOf(lab.net, 'r1'), NOTHING, 'r1 holds nothing');
      await noRoutesBeside(t, lab, 'r1');
      await settles(t, 'r4 says that the client is nowhere', '', async () => (await r4.clients()).find(({ mac }) => mac === MAC)?.node);

      await r1.writeConfig({ linger: '1' });
      r1.startDaemon();
      await r1.ready();
      await everyKernelFollows(t, lab.net, whereabouts);
      await clientReachesServer(lab);
      await r1.daemon!.stop();
      await everyKernelFollows(t, lab.net, whereabouts);
      await clientReachesServer(lab);
      t.strictSame(await client.address(4), whereabouts.address4, 'all that time with the same address');
    },
  },
  {
    name: 'a router with another key has no part in the others, and serves its own clients',
    run: async (t, lab) => {
      const { r1, r2 } = lab.routers;
      await r1.writeConfig({ key: 'a key that nobody else has' });
      r1.startDaemon();
      await r1.ready();
      const own = await lab.addClient('own', '02:00:00:00:00:02', 'r1');
      await own.startDhcp();
      const address = await own.address(4);
      await lab.net.reach('own', GATEWAY4);
      await until('r1 says why', 10, async () => /10\.99\.0\.2:4444: .*key/.test(r1.daemon!.output));
      t.notOk((await r2.clients()).some(({ mac }) => mac === own.mac), 'r2 knows nothing of the client');
      t.notOk((await forwardingOf(lab.net, 'r2')).routes.some((route) => route.startsWith(`${address} `)), 'nor has it a route');
      const nodes = (await r1.clients()).map(({ mac, node_name }) => `${mac} ${node_name}`);
      t.strictSame(nodes.filter((line) => !line.endsWith(' r1')), [], 'and r1 knows no client but its own');
    },
  },
]);
