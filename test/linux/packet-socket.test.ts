import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { PacketAddon } from '../../src/linux/addons.js';
import { AddonError, loadPacketAddon } from '../../src/linux/addons.js';
import { anyOf, arp, clientTraffic, stationMoved } from '../../src/linux/bpf.js';
import { errnoName, errnoText } from '../../src/linux/errno.js';
import type { Frame, PacketSocketOptions } from '../../src/linux/packet-socket.js';
import { PacketSocket } from '../../src/linux/packet-socket.js';
import { fromHex, toHex } from '../../src/net/bytes.js';
import { addon, ifindex, inNamespace, ip, ipJson, until } from './namespace.js';

const BROADCAST = 'ffffffffffff';
const SOURCE = '020000000099';
const ARP_REQUEST = fromHex(
  `${BROADCAST} ${SOURCE} 0806 0001080006040001 ${SOURCE} 0a2c0001 000000000000 0a2c0009`.padEnd(150, ' '),
);
/** Of an experimental protocol, with a number to know it by. */
const numbered = (n: number, payload = 46) => {
  const frame = new Uint8Array(14 + payload);
  frame.set(fromHex(`${BROADCAST} ${SOURCE} 88b5`));
  new DataView(frame.buffer).setUint32(14, n);
  return frame;
};

t.test('a missing or wrong addon is one clear error', async (t) => {
  t.throws(() => loadPacketAddon('/nowhere/packet.node'), AddonError);
  t.throws(() => loadPacketAddon('/nowhere/packet.node'), { message: /cannot load the addon \/nowhere\/packet\.node/ });
  t.throws(() => loadPacketAddon(new URL(import.meta.url).pathname), AddonError);
});

t.test('error names', async (t) => {
  t.equal(errnoName(1), 'EPERM');
  t.equal(errnoName(95), 'EOPNOTSUPP');
  t.equal(errnoName(11), 'EAGAIN');
  t.equal(errnoName(74), 'EBADMSG');
  t.equal(errnoName(123456), 'errno 123456');
  t.equal(errnoText(2), 'no such file or directory');
  t.equal(errnoText(123456), 'error 123456');
});

t.test('the addon throws at wrong arguments and never crashes', async (t) => {
  const { PacketSocket: Native, NetlinkSocket } = addon() as unknown as Record<string, new (...args: unknown[]) => object>;
  const none = new Uint8Array(0);
  t.throws(() => new Native!(), TypeError);
  t.throws(() => new Native!('lo', 3, none, 2048, () => undefined), TypeError);
  t.throws(() => new Native!(1, 3, [], 2048, () => undefined), TypeError);
  t.throws(() => new Native!(1, 3, new Uint16Array(4), 2048, () => undefined), TypeError);
  t.throws(() => new Native!(1, 3, none, 2048, undefined), TypeError);
  t.throws(() => new Native!(1, 3, new Uint8Array(7), 2048, () => undefined), { code: 'EINVAL' });
  t.throws(() => new Native!(1, 3, none, 1, () => undefined), { code: 'EINVAL' });
  t.throws(() => (Native as unknown as () => void)(), TypeError);
  t.throws(() => new NetlinkSocket!(0, 65536), TypeError);
  t.throws(() => new NetlinkSocket!(999, 65536, () => undefined), { code: 'EPROTONOSUPPORT' });
  const functions = addon() as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of ['setOption', 'getOption']) {
    t.throws(() => functions[name]!(0, 6, 11), TypeError);
    t.throws(() => functions[name]!('0', 6, 11, none), TypeError);
    t.equal(errnoName(functions[name]!(-1, 6, 11, none) as number), 'EBADF');
  }
  const methods = NetlinkSocket!.prototype as Record<string, (...args: unknown[]) => unknown>;
  for (const method of ['send', 'setOption', 'getOption', 'close']) {
    t.throws(() => methods[method]!.call({}, none, none, none), TypeError, `${method} of a stranger`);
  }
  const socket = new NetlinkSocket!(0, 65536, () => undefined) as Record<string, (...args: unknown[]) => unknown>;
  t.throws(() => socket['send']!('text'), TypeError);
  t.throws(() => socket['send']!(), TypeError);
  t.throws(() => socket['setOption']!(270, 'one', none), TypeError);
  socket['close']!();
  socket['close']!();
  t.equal(errnoName(socket['send']!(none) as number), 'EBADF');
  t.equal(errnoName(socket['setOption']!(270, 1, none) as number), 'EBADF');
  t.equal(errnoName(socket['getOption']!(270, 1, none) as number), 'EBADF');
});

await inNamespace(t, import.meta.url, async (t) => {
  const native = addon();
  let links = 0;

  /** A veth pair, a socket on each end; what comes in at the far end is gathered. */
  function pair(options: Partial<PacketSocketOptions> = {}) {
    const [near, far] = [`near${++links}`, `far${links}`];
    ip(`link add ${near} type veth peer name ${far}`);
    for (const name of [near, far]) {
      // Neither should say anything of its own.
      ip(`link set ${name} addrgenmode none arp off`);
      ip(`link set ${name} up`);
    }
    // What is sent before the queues run is lost. They do a moment after the carrier is there.
    for (let i = 0; i < 1000 && [near, far].some((name) => ipJson(`link show dev ${name}`)[0]!['qdisc'] === 'noop'); i++);
    const frames: Frame[] = [];
    const errors: string[] = [];
    const calls: number[] = [];
    const sender = new PacketSocket(native, { ifindex: ifindex(near), onFrames: () => undefined, onError: () => undefined });
    const receiver = new PacketSocket(native, {
      ifindex: ifindex(far),
      onFrames: (batch) => {
        calls.push(batch.length);
        frames.push(...batch);
      },
      onError: (code) => errors.push(code),
      ...options,
    });
    const close = () => {
      sender.close();
      receiver.close();
    };
    return { near, far, frames, errors, calls, sender, receiver, close };
  }

  t.test('on a port of a bridge: what that is told of a station that came by it', async (t) => {
    const { far, frames, sender, close } = pair({ filter: anyOf(stationMoved) });
    ip('link add br-moves type bridge');
    ip(`link set ${far} master br-moves`);
    ip('link set br-moves addrgenmode none up');
    const llc = (control: string) => fromHex(`${BROADCAST} ${SOURCE} 0006 0001${control} 810100 ${'00'.repeat(40)}`);
    for (const frame of [ARP_REQUEST, llc('e3'), llc('af')]) t.equal(sender.send(frame), undefined);
    await until(t, 'one frame', () => frames.length > 0);
    t.equal(toHex(frames[0]!.bytes), toHex(llc('af')));
    t.match(frames, [{ ifindex: ifindex(far), type: 'broadcast' }]);
    close();
  });

  t.test('a frame arrives as it was sent', async (t) => {
    const { far, frames, sender, receiver, close } = pair();
    t.equal(sender.send(ARP_REQUEST), undefined);
    await until(t, 'one frame', () => frames.length === 1);
    t.equal(toHex(frames[0]!.bytes), toHex(ARP_REQUEST));
    t.match(frames[0], { type: 'broadcast', ifindex: ifindex(far), vlan: undefined, checksumReady: true });
    t.equal(frames[0]!.length, ARP_REQUEST.length);
    t.match(receiver.statistics(), { received: 1, dropped: 0, sent: 0 });
    t.match(sender.statistics(), { sent: 1, sendErrors: 0 });
    close();
  });

  t.test('many frames come in order, in few calls of at most 32', async (t) => {
    const { frames, calls, sender, close } = pair();
    for (let i = 0; i < 100; i++) sender.send(numbered(i));
    await until(t, 'all frames', () => frames.length === 100);
    t.strictSame(frames.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(14)), [...Array(100).keys()]);
    t.ok(calls.length <= 8, `${calls.length} calls`);
    t.ok(calls.every((count) => count <= 32));
    close();
  });

  t.test('the filter lets through what it should', async (t) => {
    const { frames, sender, receiver, close } = pair({ filter: anyOf(...clientTraffic) });
    sender.send(numbered(1));
    sender.send(ARP_REQUEST);
    sender.send(numbered(2));
    sender.send(ARP_REQUEST);
    await until(t, 'two frames', () => frames.length === 2);
    t.equal(receiver.statistics().received, 2, 'the kernel dropped the others');
    close();
  });

  t.test('a tagged frame shows its tag, and a filter drops it', async (t) => {
    const tagged = fromHex(`${BROADCAST} ${SOURCE} 8100 000a ${toHex(ARP_REQUEST.subarray(12))}`);
    const open = pair();
    open.sender.send(tagged);
    await until(t, 'one frame', () => open.frames.length === 1);
    t.equal(open.frames[0]!.vlan, 10);
    t.equal(toHex(open.frames[0]!.bytes), toHex(ARP_REQUEST), 'the tag is taken off');
    open.close();
    const filtered = pair({ filter: anyOf(arp) });
    filtered.sender.send(tagged);
    filtered.sender.send(ARP_REQUEST);
    await until(t, 'one frame', () => filtered.frames.length === 1);
    t.equal(filtered.frames[0]!.vlan, undefined);
    filtered.close();
  });

  t.test('what this machine sends is seen only when asked for', async (t) => {
    const { near, frames, sender, close } = pair();
    const own: Frame[] = [];
    const options = { ifindex: ifindex(near), onError: () => t.fail() };
    const silent = new PacketSocket(native, { ...options, onFrames: (batch) => t.fail('unasked', { batch }) });
    const outgoing = new PacketSocket(native, { ...options, outgoing: true, onFrames: (batch) => own.push(...batch) });
    sender.send(ARP_REQUEST);
    await until(t, 'both ends', () => frames.length === 1 && own.length === 1);
    t.equal(own[0]!.type, 'outgoing');
    silent.close();
    outgoing.close();
    close();
  });

  t.test('a long frame is cut, and says so', async (t) => {
    const { frames, sender, close } = pair({ snapLength: 64 });
    sender.send(numbered(1, 1000));
    await until(t, 'one frame', () => frames.length === 1);
    t.equal(frames[0]!.bytes.length, 64);
    t.equal(frames[0]!.length, 1014);
    close();
  });

  t.test('multicast is received at all groups when asked for', async (t) => {
    const { far, frames, sender, close } = pair({ allMulticast: true });
    t.match(ip(`-d link show dev ${far}`), /allmulti 1 /);
    sender.send(fromHex(`333300000002 ${SOURCE} 88b5 ${'00'.repeat(46)}`));
    await until(t, 'one frame', () => frames.length === 1);
    t.equal(frames[0]!.type, 'multicast');
    close();
    t.match(ip(`-d link show dev ${far}`), /allmulti 0 /, 'given back');
  });

  t.test('an interface that goes down is an error, and works again when it is up', async (t) => {
    const { near, far, frames, errors, sender, close } = pair();
    ip(`link set ${far} down`);
    await until(t, 'an error', () => errors.length > 0);
    t.strictSame(errors, ['ENETDOWN']);
    ip(`link set ${near} down`);
    t.equal(sender.send(ARP_REQUEST), 'ENETDOWN');
    t.equal(sender.statistics().sendErrors, 1);
    ip(`link set ${near} up`);
    ip(`link set ${far} up`);
    await until(t, 'a frame', () => {
      sender.send(ARP_REQUEST);
      return frames.length > 0;
    });
    ip(`link del ${near}`);
    await until(t, 'another error', () => errors.length > 1);
    t.equal(sender.send(ARP_REQUEST), 'ENXIO');
    close();
  });

  t.test('frames that nobody reads are counted as dropped', async (t) => {
    const { sender, receiver, close } = pair();
    for (let i = 0; i < 4000; i++) sender.send(numbered(i, 1400));
    const { received, dropped } = receiver.statistics();
    t.equal(received, 4000);
    t.ok(dropped > 0, `${dropped} dropped`);
    close();
    t.equal(receiver.statistics().dropped, dropped, 'still known after close');
  });

  t.test('too long a frame is refused, not cut', async (t) => {
    const { sender, close } = pair();
    t.equal(sender.send(numbered(1, 5000)), 'EMSGSIZE');
    t.equal(sender.send(new Uint8Array(3)), 'EINVAL');
    close();
    t.equal(sender.send(ARP_REQUEST), 'EBADF');
  });

  t.test('closing in the callback stops everything at once', async (t) => {
    let batches = 0;
    const { sender, receiver, close } = pair({
      onFrames: () => {
        batches++;
        receiver.close();
        receiver.close();
      },
    });
    for (let i = 0; i < 100; i++) sender.send(numbered(i));
    await until(t, 'called', () => batches > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.equal(batches, 1);
    close();
  });

  t.test('an exception in the callback reaches the process, and the socket lives on', async (t) => {
    let count = 0;
    const { sender, close } = pair({
      onFrames: () => {
        if (++count === 1) throw new Error('from the callback');
      },
    });
    const caught = t.capture(process, 'emit', (event: string) => event === 'uncaughtException');
    sender.send(ARP_REQUEST);
    await until(t, 'called', () => count === 1);
    t.match(caught().find(({ args }) => args[0] === 'uncaughtException')?.args[1], { message: 'from the callback' });
    caught.restore();
    sender.send(ARP_REQUEST);
    await until(t, 'called again', () => count === 2);
    close();
  });

  t.test('an interface that is not there', async (t) => {
    t.throws(() => new PacketSocket(native, { ifindex: 99999, onFrames: () => t.fail(), onError: () => t.fail() }), { code: 'ENODEV' });
    let closed = false;
    class Refusing {
      setOption = (_level: number, name: number) => (name === 1 ? 19 : 0);
      close = () => (closed = true);
    }
    const refusing = { PacketSocket: Refusing, NetlinkSocket: Refusing } as unknown as PacketAddon;
    const options = { ifindex: 1, allMulticast: true, onFrames: () => t.fail(), onError: () => t.fail() };
    t.throws(() => new PacketSocket(refusing, options), { code: 'ENODEV' }, 'gone before the groups were joined');
    t.ok(closed, 'and nothing is left open');
  });

  t.test('a worker thread that ends with sockets open ends in peace', async (t) => {
    const path = new URL('../../dist/packet.node', import.meta.url).pathname;
    const source = `
      const { workerData, parentPort } = require('node:worker_threads');
      const module_ = { exports: {} };
      process.dlopen(module_, workerData.path);
      for (let i = 0; i < 4; i++) new module_.exports.PacketSocket(workerData.lo, 3, new Uint8Array(0), 2048, () => {});
      for (let i = 0; i < 4; i++) new module_.exports.NetlinkSocket(0, 65536, () => {});
      parentPort.postMessage('open');`;
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(source, { eval: true, workerData: { path, lo: ifindex('lo') } });
      await new Promise((resolve) => worker.once('message', resolve));
      t.equal(await worker.terminate(), 1);
    }
  });
});
