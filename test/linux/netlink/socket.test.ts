import { constants } from 'node:os';
import t from 'tap';
import type { NativeCallback, NativeSocket, PacketAddon } from '../../../src/linux/addons.js';
import { NetlinkMonitor } from '../../../src/linux/netlink/monitor.js';
import { Rtnetlink } from '../../../src/linux/netlink/rtnetlink.js';
import { NETLINK_ROUTE, NetlinkSocket } from '../../../src/linux/netlink/socket.js';
import type { NetlinkMessage } from '../../../src/linux/netlink/wire.js';
import { parseIp } from '../../../src/net/ip.js';
import { MessageWriter, parseMessages, readU32, stampMessage } from '../../../src/linux/netlink/wire.js';

const { EEXIST, ENOBUFS, EOPNOTSUPP } = constants.errno;

/** A kernel that answers as it is told to: what cannot be had from the real one at will. */
class FakeKernel {
  readonly sent: NetlinkMessage[][] = [];
  callback: NativeCallback = () => undefined;
  /** What sending gives. */
  errno = 0;
  /** Whether answers are there when sending returns, as with the real one; else they come later. */
  prompt = false;
  #waiting: NetlinkMessage[][] = [];

  constructor(readonly answer: (messages: NetlinkMessage[], kernel: FakeKernel) => void) {}

  /** The addon of a machine with this kernel. */
  get addon(): PacketAddon {
    const kernel = this;
    class Socket implements NativeSocket {
      constructor(_protocol: number, _receiveBuffer: number, callback: NativeCallback) {
        kernel.callback = callback;
      }
      send(bytes: Uint8Array): number {
        const messages = parseMessages(bytes.slice());
        kernel.sent.push(messages);
        if (kernel.errno === 0 && kernel.prompt) kernel.#waiting.push(messages);
        else if (kernel.errno === 0) queueMicrotask(() => kernel.answer(messages, kernel));
        return kernel.errno;
      }
      receive(): void {
        for (const messages of kernel.#waiting.splice(0)) kernel.answer(messages, kernel);
      }
      attachFilter = () => 0;
      setOption = () => 0;
      getOption = () => 0;
      close = () => undefined;
    }
    const none = () => 0;
    const other = Socket as unknown as PacketAddon['PacketSocket'] & PacketAddon['Hangup'];
    return { NetlinkSocket: Socket, PacketSocket: other, Hangup: other, setOption: none, getOption: none };
  }

  reply(type: number, sequence: number, payload: number[] = [], flags = 0): void {
    const writer = new MessageWriter(type);
    for (const value of payload) writer.u32(value >>> 0);
    const message = writer.done();
    stampMessage(message, sequence, flags);
    this.callback(0, [message]);
  }

  /** NLMSG_ERROR; 0 acknowledges. */
  acknowledge(sequence: number, errno = 0): void {
    this.reply(2, sequence, [-errno, 0, 0, 0, 0]);
  }

  done(sequence: number, flags = 0): void {
    this.reply(3, sequence, [0], flags);
  }
}

const INTERRUPTED = 0x10;
const message = () => new MessageWriter(24).u32(0).done();
const value = ({ payload }: NetlinkMessage) => readU32(payload);

t.test('few answers that are there when sending returns are taken at once, without a timer', async (t) => {
  const kernel = new FakeKernel((messages, kernel) => {
    for (const { sequence, flags } of messages) if ((flags & 4) !== 0) kernel.acknowledge(sequence, sequence === 3 ? EEXIST : 0);
  });
  kernel.prompt = true;
  let timers = 0;
  const socket = new NetlinkSocket(kernel.addon, NETLINK_ROUTE, { after: () => (timers++, () => undefined) });
  const results = await Promise.all([socket.batch([message(), message(), message()]), socket.request(message())]);
  t.strictSame(results[0].map((error) => error?.code), [undefined, undefined, 'EEXIST']);
  t.strictSame(kernel.sent.map(({ length }) => length), [3, 1]);
  t.equal(timers, 0);
  void socket.batch(Array.from({ length: 17 }, message));
  t.equal(timers, 1, 'many wait for the event loop');
  const late = socket.request(message());
  socket.close();
  await t.rejects(socket.request(message()), { code: 'ECANCELED' });
  await late;
});

t.test('of a batch only the last message of each send asks to be acknowledged', async (t) => {
  const kernel = new FakeKernel((messages, kernel) => {
    for (const { sequence, flags } of messages) {
      if (sequence % 100 === 0) kernel.acknowledge(sequence, EEXIST);
      else if ((flags & 4) !== 0) kernel.acknowledge(sequence);
    }
  });
  const socket = new NetlinkSocket(kernel.addon, NETLINK_ROUTE);
  const results = await socket.batch(Array.from({ length: 1000 }, message));
  t.strictSame(
    results.flatMap((error, i) => (error ? [[i, error.code]] : [])),
    [99, 199, 299, 399, 499, 599, 699, 799, 899, 999].map((i) => [i, 'EEXIST']),
  );
  t.strictSame(kernel.sent.map(({ length }) => length), [256, 256, 256, 232]);
  t.ok(kernel.sent.every((messages) => messages.filter(({ flags }) => (flags & 4) !== 0).length === 1));
  socket.close();
});

t.test('long messages make short sends', async (t) => {
  const kernel = new FakeKernel((messages, kernel) => kernel.acknowledge(messages.at(-1)!.sequence));
  const socket = new NetlinkSocket(kernel.addon, NETLINK_ROUTE);
  const long = Array.from({ length: 10 }, () => new MessageWriter(24).put(new Uint8Array(30_000)).done());
  t.ok((await socket.batch(long)).every((error) => error === undefined));
  t.strictSame(kernel.sent.map(({ length }) => length), [2, 2, 2, 2, 2]);
  socket.close();
});

t.test('an inconsistent dump is made again, and given up in the end', async (t) => {
  let passes = 0;
  let inconsistent = 2;
  const kernel = new FakeKernel(([request], kernel) => {
    passes++;
    kernel.reply(24, request!.sequence, [passes], passes <= inconsistent ? INTERRUPTED : 0);
    kernel.done(request!.sequence);
  });
  const socket = new NetlinkSocket(kernel.addon, NETLINK_ROUTE);
  t.strictSame(await socket.dump(message(), value), [3]);
  inconsistent = Infinity;
  await t.rejects(socket.dump(message(), value), { code: 'EINTR' });
  t.equal(passes, 13);
  socket.close();
});

t.test('one dump at a time', async (t) => {
  const kernel = new FakeKernel(([request], kernel) => setTimeout(() => kernel.done(request!.sequence), 5));
  const socket = new NetlinkSocket(kernel.addon, NETLINK_ROUTE);
  const dumps = [socket.dump(message(), value), socket.dump(message(), value)];
  await dumps[0];
  t.equal(kernel.sent.length, 1);
  await dumps[1];
  t.equal(kernel.sent.length, 2);
  socket.close();
});

t.test('lost and unreadable answers fail what waits for one, and only that', async (t) => {
  let mood: 'lose' | 'garble' | 'answer' = 'lose';
  const kernel = new FakeKernel((messages, kernel) => {
    if (mood === 'lose') kernel.callback(ENOBUFS);
    else if (mood === 'garble') kernel.callback(0, [new Uint8Array(7)]);
    else kernel.acknowledge(messages.at(-1)!.sequence);
  });
  const socket = new NetlinkSocket(kernel.addon, NETLINK_ROUTE);
  await t.rejects(socket.request(message()), { code: 'ENOBUFS', message: 'answers were lost (ENOBUFS)' });
  t.match(await socket.batch([message(), message()]), [{ code: 'ENOBUFS' }, { code: 'ENOBUFS' }]);
  mood = 'garble';
  await t.rejects(socket.dump(message(), value), { code: 'EBADMSG' });
  mood = 'answer';
  t.strictSame(await socket.request(message()), []);
  kernel.errno = ENOBUFS;
  await t.rejects(socket.request(message()), { code: 'ENOBUFS' }, 'not even sent');
  t.ok((await socket.batch(Array.from({ length: 5000 }, message))).every((error) => error?.code === 'ENOBUFS'));
  socket.close();
});

t.test('answers to nobody are passed over', async (t) => {
  const kernel = new FakeKernel(([request], kernel) => {
    kernel.acknowledge(4242, EEXIST);
    kernel.done(0);
    kernel.acknowledge(request!.sequence);
  });
  const socket = new NetlinkSocket(kernel.addon, NETLINK_ROUTE);
  t.strictSame(await socket.request(message()), []);
  socket.close();
});

t.test('a kernel without nexthop objects', async (t) => {
  const kernel = new FakeKernel(([request], kernel) => kernel.acknowledge(request!.sequence, EOPNOTSUPP));
  const rtnl = new Rtnetlink(kernel.addon);
  t.equal(await rtnl.supportsNexthops(), false);
  kernel.errno = ENOBUFS;
  await t.rejects(rtnl.supportsNexthops(), { code: 'ENOBUFS' }, 'any other error is no answer');
  await t.rejects(rtnl.routes({ family: 4 }), { code: 'ENOBUFS' });
  rtnl.close();
});

t.test('a monitor tells of what it cannot read', async (t) => {
  const kernel = new FakeKernel(() => undefined);
  const told: unknown[] = [];
  const monitor = new NetlinkMonitor(kernel.addon, {
    protocol: NETLINK_ROUTE,
    groups: [1],
    onMessages: (messages) => told.push(messages.length),
    onOverrun: (code) => told.push(code),
  });
  kernel.callback(0, [message(), new Uint8Array(7), message()]);
  kernel.callback(ENOBUFS);
  t.strictSame(told, [2, 'EBADMSG', 'ENOBUFS']);
  monitor.leave(1);
  monitor.close();
});

t.test('a kernel without IPv6 has no way to an IPv6 address', async (t) => {
  const kernel = new FakeKernel(([asked], kernel) => kernel.acknowledge(asked!.sequence, EOPNOTSUPP));
  const rtnl = new Rtnetlink(kernel.addon);
  t.equal(await rtnl.routeTo({ destination: parseIp('2001:db8::1') }), undefined);
  rtnl.close();
});
