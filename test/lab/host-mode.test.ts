/** Mode `host`: clients choose their addresses in one shared /64, the kernel's own SLAAC with privacy addresses here. */
import t from 'tap';
import type { Test } from 'tap';
import type { Client } from './client.js';
import { PingStream } from './client.js';
import { onLab, QUICK_BABELD, settles } from './harness.js';
import type { Lab, RouterName } from './lab.js';
import { until } from './shell.js';
import { PREFIX4 } from './topology.js';

const SHARED = '2001:db8:44:1::/64';
const IN_SHARED = /2001:db8:44:1:/;
const A = '02:00:00:00:00:61';
const B = '02:00:00:00:00:62';
const C = '02:00:00:00:00:63';

async function addressesOf(client: Client): Promise<string[]> {
  return (await client.addresses()).filter((address) => IN_SHARED.test(address)).map((address) => address.split('/')[0]!);
}

async function linkLocalOf(lab: Lab, host: string): Promise<string> {
  const text = await lab.net.ip(host, '-6 -o addr show dev eth0 scope link');
  return `${/inet6 ([^/]+)/.exec(text)![1]!}%eth0`;
}

/** The client's addresses in the shared prefix as a router knows them. */
async function known(lab: Lab, mac: string, router: RouterName = 'r3'): Promise<string[]> {
  const client = (await lab.routers[router].clients()).find((one) => one.mac === mac);
  return (client?.addresses ?? []).filter((address) => IN_SHARED.test(address)).sort();
}

/** A route for each address: out of the bridge where the client is, and by a next hop elsewhere. */
async function routed(t: Test, lab: Lab, addresses: readonly string[], at: RouterName): Promise<void> {
  for (const router of ['r1', 'r2', 'r3', 'r4'] as const) {
    await settles(t, `${router} has a route to each`, [...addresses].sort(), async () => {
      const lines = (await lab.net.ip(router, '-6 route show table 44')).split('\n');
      const wanted = lines.filter((line) => (router === at ? line.includes('dev br-client') : line.includes('nhid')));
      return wanted.map((line) => line.split(' ')[0]!).filter((address) => IN_SHARED.test(address)).sort();
    });
  }
}

async function join(lab: Lab, name: string, mac: string, router: RouterName): Promise<Client> {
  return lab.addClient(name, mac, router, async () => {
    await lab.net.exec(name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.use_tempaddr=2', 'net.ipv6.conf.eth0.keep_addr_on_down=1');
  });
}

/** It asks whether somebody has the address, and waits a second, in which a busy machine may not answer: then once more. */
async function findsDuplicate(lab: Lab, host: string, address: string): Promise<void> {
  await until(`${host} finds that ${address} is a duplicate`, 10, async () => {
    await lab.net.ip(host, `-6 addr add ${address}/64 dev eth0`);
    const state = await until('it has made up its mind', 10, async () => {
      const text = await lab.net.ip(host, '-6 -o addr show dev eth0');
      const line = text.split('\n').find((one) => one.includes(`${address}/`)) ?? '';
      return (line.includes('dadfailed') || !line.includes('tentative')) && line;
    });
    if (state.includes('dadfailed')) return true;
    await lab.net.ip(host, `-6 addr del ${address}/64 dev eth0`);
    return false;
  });
}

let phone: Client;
let own: string[];

await onLab(t, { name: 'thost', babeld: QUICK_BABELD, options: { ipv6_mode: 'host', prefix: [PREFIX4, SHARED], hold_time: '2' } }, [
  {
    name: 'a client with a stable and a temporary address: each has a route everywhere',
    run: async (t, lab) => {
      phone = await join(lab, 'phone', A, 'r1');
      own = await until('two addresses', 20, async () => {
        const text = await lab.net.ip('phone', '-6 -o addr show dev eth0 scope global');
        const all = await addressesOf(phone);
        return all.length >= 2 && !text.includes('tentative') ? all : undefined;
      });
      await settles(t, 'the routers know both', [...own].sort(), () => known(lab, A));
      await routed(t, lab, own, 'r1');
      for (const address of own) {
        await until(`the server reaches ${address}`, 5, () =>
          lab.net.exec('server', 'ping', '-c', '1', '-W', '1', address).then(() => true, () => false),
        );
      }
    },
  },
  {
    name: 'it roams: the addresses go along, before it says a word',
    run: async (t, lab) => {
      const streams = own.map((address) => new PingStream(lab.net, 'server', address, 20, lab.cleanup));
      await until('the server reaches both', 10, async () => streams.every((stream) => stream.answers > 10));
      await lab.roam(phone, 'r2');
      const moved = Date.now();
      await until('the server reaches both at r2', 10, async () => streams.every((stream) => stream.answeredSince(moved + 200)));
      await routed(t, lab, own, 'r2');
      t.same(await addressesOf(phone), own, 'the same addresses');
      for (const stream of streams) await stream.stop();
    },
  },
  {
    name: 'an address that a client elsewhere has is defended in its name',
    run: async (t, lab) => {
      await join(lab, 'thief', B, 'r3');
      await until('it has an address', 20, async () => (await known(lab, B)).length > 0);
      await findsDuplicate(lab, 'thief', own[0]!);
      await settles(t, 'the address is where it was', [...own].sort(), () => known(lab, A));
    },
  },
  {
    name: 'two that ask for one address at the same moment, at different routers: one has it',
    run: async (t, lab) => {
      const address = '2001:db8:44:1::77';
      await Promise.all(['phone', 'thief'].map((host) => lab.net.ip(host, `-6 addr add ${address}/64 dev eth0`)));
      const states = await until('both have made up their mind', 10, async () => {
        const texts = await Promise.all(['phone', 'thief'].map((host) => lab.net.ip(host, '-6 -o addr show dev eth0')));
        const lines = texts.map((text) => text.split('\n').find((line) => line.includes(`${address}/`)) ?? '');
        return lines.every((line) => line.includes('dadfailed') || !line.includes('tentative')) ? lines : undefined;
      });
      t.equal(states.filter((line) => line.includes('dadfailed')).length, 1, states.join(' / '));
    },
  },
  {
    name: 'an address that a client here has is defended where isolated ports keep the two apart',
    programs: ['bridge'],
    run: async (t, lab) => {
      const shy = await lab.addClient('shy', C, 'r2', async (client) => {
        for (const plug of [phone.plug, client.plug]) await lab.net.exec('r2', 'bridge', 'link', 'set', 'dev', plug, 'isolated', 'on');
      });
      await until('it has an address', 20, async () => (await known(lab, C)).length > 0);
      const [mine] = await addressesOf(shy);
      await t.rejects(lab.net.exec('shy', 'ping', '-c', '2', '-W', '1', await linkLocalOf(lab, 'phone')), 'they do not hear each other');
      await findsDuplicate(lab, 'shy', own[0]!);
      // What it had, it may take again.
      await lab.net.ip('shy', `-6 addr del ${mine!}/64 dev eth0`);
      await lab.net.ip('shy', `-6 addr add ${mine!}/64 dev eth0`);
      const state = await until('it has made up its mind', 10, async () => {
        const text = await lab.net.ip('shy', `-6 -o addr show dev eth0 to ${mine!}`);
        return text.includes('dadfailed') || !text.includes('tentative') ? text : undefined;
      });
      t.match(state, mine);
      t.notMatch(state, 'dadfailed', 'its own address');
      await settles(t, 'the address is where it was', [...own].sort(), () => known(lab, A).then((all) => all.filter((one) => own.includes(one))));
    },
  },
  {
    name: 'a client that has left leaves no route',
    run: async (t, lab) => {
      await lab.net.ip(phone.at, `link set ${phone.plug} down`);
      lab.routers.r2.station({ leave: A });
      await settles(t, 'no route anywhere', '', async () => {
        const text = await lab.net.ip('r4', '-6 route show table 44');
        return own.filter((address) => text.includes(address)).join(' ');
      });
    },
  },
]);
