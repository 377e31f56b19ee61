/** Clients that others wrote keep their addresses: over roams, reboots, renewals at other routers, and power cuts. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import type { Client } from './client.js';
import type { Dhcpcd, DhcpClient, Kind } from './dhcp-clients.js';
import { makeDhcpClient, PROGRAMS } from './dhcp-clients.js';
import { obstacle, onLab, QUICK_BABELD } from './harness.js';
import type { Lab, RouterName } from './lab.js';
import { all, until } from './shell.js';
import { GATEWAY4, GATEWAY_LL, GATEWAY_MAC, PREFIX4, SERVER4, SERVER6 } from './topology.js';

/** The clients of others that this machine has; the lab itself needs udhcpc. */
const NAMES: Kind[] = [];
for (const [name, needed] of Object.entries(PROGRAMS) as [Kind, readonly string[]][]) {
  const skip = await obstacle(...needed);
  if (skip === false) NAMES.push(name);
  else await t.test(`${name} keeps its addresses`, { skip }, async () => {});
}

const programs: { [name in Kind]?: DhcpClient } = {};
const addresses = new Map<Kind, { 4: string; 6: string }>();

const hostOf = (name: Kind): Client => programs[name]!.host;

async function pings(lab: Lab, from: string, to: string): Promise<boolean> {
  return until(`${from} reaches ${to}`, 5, () =>
    lab.net.exec(from, 'ping', '-c', '1', '-W', '1', to).then(() => true, () => false),
  ).then(() => true, () => false);
}

async function keepsItsAddresses(t: Test, lab: Lab, name: Kind, when: string): Promise<void> {
  const host = hostOf(name);
  t.strictSame({ 4: await host.address(4), 6: await host.address(6) }, addresses.get(name), `${name} ${when}: the same addresses`);
  for (const server of [SERVER4, SERVER6]) t.ok(await pings(lab, host.name, server), `${name} ${when}: reaches ${server}`);
}

async function roamAll(lab: Lab, to: (name: Kind) => RouterName): Promise<void> {
  for (const name of NAMES) await lab.roam(hostOf(name), to(name));
}

/** Each client one router on. */
const NEXT: { [name: string]: RouterName } = { r1: 'r2', r2: 'r3', r3: 'r1' };
const next = (name: Kind) => NEXT[hostOf(name).at]!;

/** All that the daemons and the kernels had in memory is gone, and what was on disk too: OpenWrt keeps /var in memory. */
async function powerCut(lab: Lab, names: readonly RouterName[]): Promise<void> {
  await all(names.map((name) => lab.routers[name].daemon!.stop('SIGKILL')));
  for (const name of names) {
    for (const family of [4, 6]) await lab.net.ip(name, `-${family} route flush table 44`).catch(() => '');
    await rm(join(lab.routers[name].directory, 'state'), { recursive: true, force: true });
  }
}

async function powerOn(lab: Lab, names: readonly RouterName[]): Promise<void> {
  for (const name of names) lab.routers[name].startDaemon();
  await all(names.map((name) => lab.routers[name].ready()));
}

await onLab(t, { name: 'tcli', babeld: QUICK_BABELD }, [
  {
    name: 'udhcpc, dhclient, dhcpcd and systemd-networkd get addresses, the kernel or they themselves by SLAAC',
    run: async (t, lab) => {
      for (const [i, name] of NAMES.entries()) {
        const host = await lab.addClient(name, `02:00:00:00:03:0${i + 1}`, (['r1', 'r2', 'r3', 'r1'] as const)[i]!);
        programs[name] = makeDhcpClient(name, lab, host);
        await programs[name].start();
      }
      for (const name of NAMES) addresses.set(name, { 4: await hostOf(name).address(4), 6: await hostOf(name).address(6) });
      const all4 = [...addresses.values()].map((own) => own[4]);
      t.equal(new Set(all4).size, NAMES.length, `each its own: ${all4.join(' ')}`);
      for (const name of NAMES) await keepsItsAddresses(t, lab, name, 'at first');
    },
  },
  {
    name: 'two clients talk to each other in both families, wherever each of them is',
    run: async (t, lab) => {
      const talk = async (when: string) => {
        for (const [from, to] of [['udhcpc', 'dhclient'], ['dhclient', 'udhcpc']] as const) {
          for (const family of [4, 6] as const) {
            t.ok(await pings(lab, from, addresses.get(to)![family]), `${when}: ${from} to ${to} by IPv${family}`);
          }
        }
      };
      await talk('at two routers');
      await lab.roam(hostOf('dhclient'), 'r1');
      await talk('at the same router, after one came');
      await lab.roam(hostOf('udhcpc'), 'r3');
      await talk('at two routers again, after the other left');
      await lab.roam(hostOf('dhclient'), 'r2');
      await talk('after the one left too');
      await lab.roam(hostOf('udhcpc'), 'r1');
    },
  },
  {
    name: 'leases are renewed at another router than the one that gave them',
    run: async (t, lab) => {
      await roamAll(lab, next);
      for (const name of NAMES) {
        await programs[name]!.renew();
        await keepsItsAddresses(t, lab, name, 'renewed');
      }
      if (programs.dhcpcd === undefined) return;
      await (programs.dhcpcd as Dhcpcd).rebind();
      await keepsItsAddresses(t, lab, 'dhcpcd', 'rebound');
    },
  },
  {
    name: 'a renewal and an INFORM by unicast, as dhcping sends them',
    programs: ['dhcping'],
    run: async (t, lab) => {
      const { mac } = hostOf('udhcpc');
      const ask = (...words: string[]) =>
        lab.net.exec('udhcpc', 'dhcping', '-v', '-t', '20', '-c', addresses.get('udhcpc')![4], '-s', GATEWAY4, '-h', mac, ...words);
      t.match(await ask('-i'), `Got answer from: ${GATEWAY4}`, 'INFORM');
      t.match(await ask('-r'), `Got answer from: ${GATEWAY4}`, 'REQUEST');
    },
  },
  {
    name: 'rdisc6 and ndisc6 find the router that all of ours are',
    programs: ['rdisc6', 'ndisc6'],
    run: async (t, lab) => {
      const advertisement = await lab.net.exec('udhcpc', 'rdisc6', '-1', '-w', '2000', 'eth0');
      const network = addresses.get('udhcpc')![6].split(':').slice(0, 4).join(':');
      t.match(advertisement, `Prefix                   : ${network}::/64`);
      t.match(advertisement, /On-link +: +No/);
      t.match(advertisement, /Autonomous address conf\. *: +Yes/);
      t.match(advertisement, `from ${GATEWAY_LL}`);
      const neighbour = await lab.net.exec('udhcpc', 'ndisc6', '-1', '-w', '2000', GATEWAY_LL, 'eth0');
      t.match(neighbour, `Target link-layer address: ${GATEWAY_MAC.toUpperCase()}`);
    },
  },
  {
    name: 'clients that start anew, at another router, have what they had',
    run: async (t, lab) => {
      await roamAll(lab, next);
      for (const name of NAMES) {
        await programs[name]!.reboot();
        await keepsItsAddresses(t, lab, name, 'started anew');
      }
    },
  },
  {
    name: 'the router of the clients loses its power: they go on at another',
    run: async (t, lab) => {
      // The one at the end of the line: through the others the way to the server would be cut.
      const old = 'r1';
      await roamAll(lab, () => old);
      for (const name of NAMES) await keepsItsAddresses(t, lab, name, 'before');
      await powerCut(lab, [old]);
      await roamAll(lab, () => 'r2');
      for (const name of NAMES) await keepsItsAddresses(t, lab, name, `after ${old} went off`);
      // dhcpcd asked all servers when its cable came in (rebinding).
      for (const name of NAMES.filter((one) => one !== 'dhcpcd')) {
        await programs[name]!.renew();
        await keepsItsAddresses(t, lab, name, 'renewed');
      }
      await powerOn(lab, [old]);
    },
  },
  {
    name: 'all routers lose their power and all they knew: clients that ask for what they had get it',
    run: async (t, lab) => {
      const routers: RouterName[] = ['r1', 'r2', 'r3', 'r4'];
      await powerCut(lab, routers);
      await powerOn(lab, routers);
      for (const name of NAMES) lab.routers[hostOf(name).at as RouterName].station({ authorize: hostOf(name).mac });
      await until('every router knows where they are', 20, async () => {
        const views = await Promise.all(routers.map((router) => lab.routers[router].clients()));
        return views.every((view) => view.length === NAMES.length);
      });
      await roamAll(lab, next);
      for (const name of NAMES) {
        await programs[name]!.reboot();
        await keepsItsAddresses(t, lab, name, 'after the power cut');
      }
    },
  },
  {
    name: 'another IPv6 prefix is configured: clients have an address of it too, and their old one is deprecated',
    run: async (t, lab) => {
      for (const router of Object.values(lab.routers)) {
        await router.writeConfig({ prefix: [PREFIX4, '2001:db8:55::/48'] });
        router.daemon!.child.kill('SIGHUP');
      }
      const shown = async (name: string) => (await lab.net.ip(name, '-6 -o addr show dev eth0 scope global')).split('\n');
      for (const name of NAMES) {
        const oldOf = async () => (await shown(name)).filter((line) => line.includes(addresses.get(name)![6]));
        await until(`${name} has an address of the new prefix`, 20, async () =>
          (await shown(name)).some((line) => line.includes('2001:db8:55:') && !line.includes('tentative')),
        );
        await until('and its old one is deprecated', 5, async () => (await oldOf()).some((line) => line.includes('deprecated')));
        const old = await oldOf();
        t.match(old, [/deprecated/], `${name}: ${old.join()}`);
        t.ok(await pings(lab, name, SERVER6), `${name} reaches the server`);
        const own = (await shown(name)).map((line) => /inet6 (2001:db8:55:[^/]*)/.exec(line)?.[1]).find((address) => address !== undefined);
        t.ok(await pings(lab, 'server', own!), `and the server ${own}`);
      }
    },
  },
]);
