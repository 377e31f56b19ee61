import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { HELLO_GROUP, LinuxDiscovery, usableLinkLocals } from '../../src/linux/discovery.js';
import { seal, unseal } from '../../src/linux/hello-seal.js';
import { derivePsk } from '../../src/linux/mesh.js';
import { SINK } from '../../src/linux/strays.js';
import type { InterfaceChoice } from '../../src/ports.js';
import { ifindex, inNamespace, ip, settled } from './namespace.js';
import { SILENT, TestLog } from '../support.js';

const PORT = 4444;

t.test('sealed: any content, and nothing else, comes back', async (t) => {
  const [ours, theirs] = [await derivePsk('ours'), await derivePsk('theirs')];
  for (const content of [new Uint8Array(0), Buffer.from('hello'), new Uint8Array(300)]) {
    const datagram = seal(content, ours);
    t.same([...unseal(datagram, ours)!], [...content]);
    t.equal(unseal(datagram, theirs), undefined, 'another key');
    t.equal(unseal(datagram, undefined), undefined, 'no key');
    for (let i = 0; i < datagram.length; i++) {
      t.equal(unseal(datagram.subarray(0, i), ours), undefined, `cut at ${i}`);
      const changed = Uint8Array.from(datagram);
      changed[i]! ^= 1;
      t.equal(unseal(changed, ours), undefined, `byte ${i} changed`);
    }
  }
  const node = Buffer.from('0123456789abcdef', 'hex');
  t.notOk(Buffer.from(seal(node, ours)).includes(node), 'the content does not show');
  t.notSame(seal(node, ours), seal(node, ours), 'two of the same content differ');
  t.same([...unseal(seal(node, undefined), undefined)!], [...node]);
  t.equal(unseal(seal(node, undefined), ours), undefined, 'with a key nothing in the clear is taken');
});

t.test('interfaces whose link-local address may be used, as the kernel tells of addresses', async (t) => {
  const text = [
    '00000000000000000000000000000001 01 80 10 80       lo',
    'fe80000000000000020000fffe000001 02 40 20 80     mesh0',
    'fd000000000000000000000000000001 02 40 00 80     mesh0',
    'fe80000000000000020000fffe000002 0b 40 20 c0     mesh1',
    'fe80000000000000020000fffe000003 0c 40 20 88     mesh2',
    'fe80000000000000020000fffe000004 3e8 40 20 480  mesh3.7',
    'fd000000000000000000000000000002 0d 40 00 80     mesh4',
    '',
  ].join('\n');
  t.strictSame([...usableLinkLocals(text)], [['mesh0', 2], ['mesh3.7', 1000]]);
  t.strictSame([...usableLinkLocals('')], []);
});

class Router {
  readonly heard: { text: string; address: string }[] = [];
  attached = 0;
  readonly discovery: LinuxDiscovery;

  /** `interfaces`: undefined: as the kernel has them. */
  constructor(key: string | undefined, interfaces: readonly string[] | undefined, choice: InterfaceChoice) {
    const own = interfaces && { interfaces: () => new Map(interfaces.map((name) => [name, ifindex(name)])) };
    this.discovery = new LinuxDiscovery({ psk: key === undefined ? undefined : derivePsk(key), log: SILENT, ...own });
    this.discovery.attach(choice);
    this.discovery.start(PORT, {
      heard: (content, address) => this.heard.push({ text: Buffer.from(content).toString(), address }),
      attached: () => this.attached++,
    });
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (condition()) return;
    await delay(10);
  }
  throw new Error(`waited in vain: ${what}`);
}

t.test('stopped before its port was bound, it holds none', async (t) => {
  const other = createSocket({ type: 'udp6', ipv6Only: true });
  await new Promise<void>((resolve) => other.bind(0, resolve));
  const { port } = other.address();
  await new Promise<void>((resolve) => other.close(resolve));
  const events = { heard() {}, attached() {} };
  const discovery = new LinuxDiscovery({ psk: undefined, log: SILENT, interfaces: () => new Map() });
  discovery.start(port, events);
  await Promise.resolve().then(() => undefined);
  discovery.stop();
  await delay(50);
  const again = createSocket({ type: 'udp6', ipv6Only: true });
  const bound = await new Promise<string>((done) => {
    again.once('error', (error) => done(error.message));
    again.bind(port, () => done('bound'));
  });
  again.close();
  t.equal(bound, 'bound');
});

t.test('a port that another program has is said once, and that it is to be had again too', async (t) => {
  const other = createSocket({ type: 'udp6', ipv6Only: true });
  await new Promise<void>((resolve) => other.bind(0, resolve));
  const { port } = other.address();
  const log = new TestLog();
  const discovery = new LinuxDiscovery({ psk: undefined, log, interfaces: () => new Map(), retry: 5 });
  t.teardown(() => discovery.stop());
  discovery.start(port, { heard() {}, attached() {} });
  await until('it is said', () => log.lines.length > 0);
  await delay(100);
  const inUse = `warn looking for neighbours on UDP port ${port}: in use by another program`;
  t.same(log.lines, [inUse]);
  other.close();
  await until('it has the port', () => log.lines.length > 1);
  t.same(log.lines, [inUse, `info looking for neighbours on UDP port ${port} again`]);
});

void inNamespace(t, import.meta.url, async (t) => {
  // Both ends of a link in one namespace; they do not hear themselves, since that is switched off, so they hear each other.
  ip('link add m0 type veth peer name m1');
  ip('link add c0 type veth peer name c1');
  for (const name of ['m0', 'm1', 'c0', 'c1']) ip(`link set ${name} up`);
  await settled('m0', 'm1', 'c0', 'c1');

  await t.test('hellos go out of every interface that is chosen, and are heard with their address', async (t) => {
    const router = new Router('the key', ['m0', 'm1', 'c0', 'c1'], { only: undefined, except: ['c0', 'c1'] });
    t.teardown(() => router.discovery.stop());
    await until('attached', () => router.attached === 1);
    router.discovery.send(Buffer.from('hello'));
    await until('both heard', () => router.heard.length === 2);
    t.match(router.heard.map(({ text }) => text), ['hello', 'hello']);
    for (const { address } of router.heard) t.match(address, /^fe80::.*%m[01]$/);
    t.same(router.heard.map(({ address }) => address.split('%')[1]).sort(), ['m0', 'm1']);
    await delay(50);
    t.equal(router.heard.length, 2, 'not on the interfaces of clients');
    await until('both sent', () => router.discovery.counters['hello_sent']! >= 2);
    t.equal(router.discovery.counters['hello_sent'], 2);

    const stranger = createSocket('udp6');
    t.teardown(() => stranger.close());
    const send = (bytes: Uint8Array, to: string) =>
      new Promise<void>((resolve) => stranger.send(bytes, PORT, to, () => resolve()));
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(100, 2), Buffer.alloc(1000), seal(Buffer.from('hello'), await derivePsk('other'))]) {
      await send(bytes, `${HELLO_GROUP}%m0`);
    }
    await until('refused', () => router.discovery.counters['hello_refused']! >= 3);
    await send(seal(Buffer.from('hello'), await derivePsk('the key')), '::1');
    // As many at once as a busy machine takes: so many more than a second's worth come within one.
    await until('not all are looked at', () => {
      for (let i = 0; i < 100; i++) void send(Buffer.from('flood'), `${HELLO_GROUP}%m0`);
      return router.discovery.counters['hello_too_many']! >= 50;
    });
    t.equal(router.heard.length, 2, 'nobody else is heard');
  });

  await t.test('an interface counts once its address may be used, so that the first hello is heard', async (t) => {
    // Of the addresses that the kernel makes it asks for longer than the test takes.
    ip('link add d0 type veth peer name d1');
    for (const name of ['d0', 'd1']) execFileSync('sysctl', ['-qw', `net.ipv6.conf.${name}.dad_transmits=600`]);
    for (const name of ['d0', 'd1']) ip(`link set ${name} up`);
    const choice = { only: ['d0', 'd1'], except: [] };
    const router = new Router(undefined, undefined, choice);
    t.teardown(() => router.discovery.stop());
    await until('its port is bound', () => readFileSync('/proc/net/udp6', 'ascii').includes(`:${PORT.toString(16).toUpperCase()} `));
    await until('addresses are there', () => ['d0', 'd1'].every((name) => ip(`-6 addr show dev ${name} scope link`).includes('tentative')));
    router.discovery.attach(choice);
    t.equal(router.attached, 0, 'they are tentative');
    for (const name of ['d0', 'd1']) ip(`addr add fe80::${name}/64 dev ${name} nodad`);
    await settled('d0', 'd1');
    router.discovery.attach(choice);
    t.equal(router.attached, 1);
    router.discovery.send(Buffer.from('first'));
    await until('heard', () => router.heard.length === 2);
    ip('link del d0');
  });

  await t.test('interfaces come and go', async (t) => {
    const interfaces = ['m0'];
    const router = new Router(undefined, interfaces, { only: ['m0', 'm1'], except: [] });
    t.teardown(() => router.discovery.stop());
    await until('the first', () => router.attached === 1);
    interfaces.push('m1');
    router.discovery.attach({ only: ['m0', 'm1'], except: [] });
    t.equal(router.attached, 2);
    router.discovery.send(Buffer.from('a'));
    await until('heard', () => router.heard.length === 2);
    interfaces.splice(0, 2);
    ip('link del m0');
    router.discovery.attach({ only: ['m0', 'm1'], except: [] });
    router.discovery.send(Buffer.from('b'));
    ip('link add m0 type veth peer name m1');
    for (const name of ['m0', 'm1']) ip(`link set ${name} up`);
    await settled('m0', 'm1');
    interfaces.push('m0', 'm1');
    router.discovery.attach({ only: ['m0', 'm1'], except: [] });
    router.discovery.send(Buffer.from('c'));
    await until('made anew', () => router.heard.length === 4);
    t.same(router.heard.map(({ text }) => text), ['a', 'a', 'c', 'c']);
  });

  await t.test('nobody is looked for where strays go', async (t) => {
    ip(`link add ${SINK} type bridge`);
    ip(`link set ${SINK} up`);
    const interfaces = [SINK];
    const router = new Router(undefined, interfaces, { only: undefined, except: [] });
    t.teardown(() => router.discovery.stop());
    await delay(100);
    t.equal(router.attached, 0);
    interfaces.push('m0');
    router.discovery.attach({ only: undefined, except: [] });
    await until('the other', () => router.attached === 1);
    router.discovery.send(Buffer.from('x'));
    await until('sent', () => router.discovery.counters['hello_sent']! > 0);
    await delay(50);
    t.equal(router.discovery.counters['hello_sent'], 1);
  });

  await t.test('a port that is taken, or no interface: no crash', async (t) => {
    const first = new Router(undefined, ['m0'], { only: undefined, except: [] });
    await until('attached', () => first.attached === 1);
    const second = new Router(undefined, ['m0'], { only: undefined, except: [] });
    await delay(100);
    second.discovery.send(Buffer.from('x'));
    t.equal(second.attached, 0);
    first.discovery.stop();
    second.discovery.stop();
    second.discovery.stop();
  });
});
