/**
 * Requests to the kernel over netlink, and what it answers.
 *
 * The kernel handles a request within the system call that sends it, so answers are waiting when send returns. They
 * have to fit into the receive buffer, or the kernel throws them away (ENOBUFS); so only so many messages are under
 * way at a time.
 */
import { constants } from 'node:os';
import type { NativeSocket, PacketAddon } from '../addons.js';
import { int } from '../addons.js';
import { NetlinkError, parseStatus } from './error.js';
import type { NetlinkMessage } from './wire.js';
import { NLMSG_DONE, NLMSG_ERROR, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, parseMessages, portOf, stampMessage } from './wire.js';

export const NETLINK_ROUTE = 0;
export const NETLINK_GENERIC = 16;

export const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** An answer takes about 1 KiB of the receive buffer, whatever its length. */
const RECEIVE_BUFFER = 1 << 20;
const MAX_UNDER_WAY = 256;
/**
 * The answer to so few messages is taken at once: the event loop may have much else to do before it finds it. With many,
 * it is to have its turn between them, or what the kernel tells monitors of them would overrun those.
 */
const PROMPT = 16;
/** Bytes in one send; a socket's send buffer is 212,992 by default, and a message must fit it. */
const MAX_SEND = 1 << 16;
const MAX_DUMP_ATTEMPTS = 10;

const { EBADMSG, ECANCELED, EINTR, ENOBUFS, ETIMEDOUT } = constants.errno;

export interface NetlinkSocketOptions {
  /** Milliseconds after which a request that nobody answered fails with ETIMEDOUT. Default 5,000. */
  readonly timeout?: number;
  /** Calls back after `ms` milliseconds, unless the function that it returns is called before. */
  readonly after?: (ms: number, callback: () => void) => () => void;
}

function afterTimeout(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

/** Messages sent together, numbered in a row, and done when the last of them is acknowledged. */
interface Exchange {
  readonly bytes: Uint8Array;
  /** Where each message begins in `bytes`. */
  readonly offsets: readonly number[];
  readonly dump: boolean;
  first: number;
  /** Whatever is neither error nor end. */
  readonly onReply: (message: NetlinkMessage) => void;
  /** An error about the message of this index. */
  readonly onError: (index: number, error: NetlinkError) => void;
  /** Over: all was answered; or nothing more will come, because of `error`. */
  readonly onEnd: (error?: NetlinkError) => void;
  cancelTimeout: () => void;
}

/** A netlink socket for requests. For multicast groups there is NetlinkMonitor. */
export class NetlinkSocket {
  readonly #native: NativeSocket;
  readonly #timeout: number;
  readonly #after: (ms: number, callback: () => void) => () => void;
  /** By sequence number, each message of an exchange. */
  readonly #underWay = new Map<number, Exchange>();
  readonly #waiting: Exchange[] = [];
  /** The kernel runs one dump at a time on a socket. */
  #dumps: Promise<unknown> = Promise.resolve();
  #sequence = 0;
  #sending = false;
  #closed = false;
  #port: number | undefined;

  /** @throws Error with `code`, when the kernel has no such protocol */
  constructor(addon: Pick<PacketAddon, 'NetlinkSocket'>, protocol: number, options: NetlinkSocketOptions = {}) {
    this.#timeout = options.timeout ?? 5000;
    this.#after = options.after ?? afterTimeout;
    this.#native = new addon.NetlinkSocket(protocol, RECEIVE_BUFFER, (errno, datagrams) => {
      if (errno !== 0) this.#failAll(errno);
      else this.#receive(datagrams!);
    });
    // Older kernels know some of these not, and do without: errors lack their text, dumps come unfiltered.
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
      this.#native.setOption(SOL_NETLINK, option, int(1));
    }
  }

  /**
   * Sends one message and waits until the kernel has done it.
   *
   * @returns what the kernel answered beside the acknowledgement
   * @throws {@link NetlinkError}
   */
  request(message: Uint8Array): Promise<NetlinkMessage[]> {
    return new Promise((resolve, reject) => {
      const replies: NetlinkMessage[] = [];
      let failure: NetlinkError | undefined;
      this.#start([message], false, {
        onReply: (reply) => replies.push(reply),
        onError: (_, error) => (failure = error),
        onEnd: (error = failure) => (error ? reject(error) : resolve(replies)),
      });
    });
  }

  /**
   * Sends many messages, in order and in few system calls. One that fails does not keep the others from being tried.
   *
   * Only the last message of each send asks to be acknowledged: the kernel works them off in order and reports every
   * failure, so that acknowledgement says of all before it that they are done or have been reported.
   *
   * @returns for each message what went wrong, or undefined. ENOBUFS, ETIMEDOUT and ECANCELED: it may have been done.
   */
  async batch(messages: readonly Uint8Array[]): Promise<(NetlinkError | undefined)[]> {
    const results = new Array<NetlinkError | undefined>(messages.length).fill(undefined);
    const chunks: Promise<void>[] = [];
    for (let start = 0; start < messages.length; ) {
      const from = start;
      let size = 0;
      do size += messages[start++]!.length;
      while (
        start < messages.length &&
        start - from < MAX_UNDER_WAY &&
        size + messages[start]!.length <= MAX_SEND
      );
      const to = start;
      chunks.push(
        new Promise((resolve) => {
          this.#start(messages.slice(from, to), false, {
            onReply: () => undefined,
            onError: (index, error) => (results[from + index] = error),
            onEnd: (error) => {
              if (error) for (let i = from; i < to; i++) results[i] ??= error;
              resolve();
            },
          });
        }),
      );
    }
    await Promise.all(chunks);
    return results;
  }

  /**
   * Asks for all objects of a kind. A dump that the kernel marks as inconsistent, for things changed meanwhile, is
   * made again, up to ten times.
   *
   * @param parse makes an object of a message, or undefined to leave it out; what it throws fails the dump
   * @throws {@link NetlinkError}: EINTR when it never became consistent
   */
  dump<T>(message: Uint8Array, parse: (message: NetlinkMessage) => T | undefined): Promise<T[]> {
    const dump = this.#dumps.then(async () => {
      for (let attempt = 0; attempt < MAX_DUMP_ATTEMPTS; attempt++) {
        const objects = await this.#dumpOnce(message, parse);
        if (objects) return objects;
      }
      throw new NetlinkError(EINTR, 'the table changes faster than it can be read');
    });
    this.#dumps = dump.catch(() => undefined);
    return dump;
  }

  #dumpOnce<T>(message: Uint8Array, parse: (message: NetlinkMessage) => T | undefined): Promise<T[] | undefined> {
    return new Promise((resolve, reject) => {
      const objects: T[] = [];
      let interrupted = false;
      let failure: unknown;
      this.#start([message], true, {
        onReply: (reply) => {
          if ((reply.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
          if (reply.type === NLMSG_DONE || failure !== undefined) return;
          try {
            const object = parse(reply);
            if (object !== undefined) objects.push(object);
          } catch (error) {
            failure = error;
          }
        },
        onError: (_, error) => (failure = error),
        onEnd: (error) => {
          failure = error ?? failure;
          if (failure !== undefined) reject(failure);
          else resolve(interrupted ? undefined : objects);
        },
      });
    });
  }

  /** The port id that the kernel knows this socket by, and names in what it tells of its doings; undefined before it has answered. */
  get port(): number | undefined {
    return this.#port;
  }

  /** Requests that are not finished fail with ECANCELED. May be called again. */
  close(): void {
    this.#closed = true;
    this.#native.close();
    this.#failAll(ECANCELED);
  }

  #start(
    messages: readonly Uint8Array[],
    dump: boolean,
    handlers: Pick<Exchange, 'onReply' | 'onError' | 'onEnd'>,
  ): void {
    const offsets: number[] = [];
    let length = 0;
    for (const message of messages) {
      offsets.push(length);
      length += message.length;
    }
    const bytes = new Uint8Array(length);
    messages.forEach((message, i) => bytes.set(message, offsets[i]));
    if (this.#closed) handlers.onEnd(new NetlinkError(ECANCELED, 'the socket is closed'));
    else {
      this.#waiting.push({ bytes, offsets, dump, first: 0, cancelTimeout: () => undefined, ...handlers });
      this.#sendWaiting();
    }
  }

  #sendWaiting(): void {
    // Answers come while it sends.
    if (this.#sending) return;
    this.#sending = true;
    for (let next = this.#nextWaiting(); next !== undefined; next = this.#nextWaiting()) this.#send(next);
    this.#sending = false;
  }

  #nextWaiting(): Exchange | undefined {
    const next = this.#waiting[0];
    if (next === undefined || (this.#underWay.size > 0 && this.#underWay.size + next.offsets.length > MAX_UNDER_WAY)) return undefined;
    return this.#waiting.shift();
  }

  #send(exchange: Exchange): void {
    const { bytes, offsets, dump } = exchange;
    offsets.forEach((offset, i) => {
      this.#sequence = (this.#sequence + 1) >>> 0;
      if (i === 0) exchange.first = this.#sequence;
      const flags = dump ? NLM_F_DUMP : i === offsets.length - 1 ? NLM_F_ACK : 0;
      stampMessage(bytes.subarray(offset), this.#sequence, flags);
      this.#underWay.set(this.#sequence, exchange);
    });
    const errno = this.#native.send(bytes);
    if (errno !== 0) return this.#end(exchange, new NetlinkError(errno));
    if (!dump && offsets.length <= PROMPT) this.#native.receive();
    if (this.#underWay.get(exchange.first) !== exchange) return;
    exchange.cancelTimeout = this.#after(this.#timeout, () => this.#end(exchange, new NetlinkError(ETIMEDOUT)));
  }

  #receive(datagrams: Uint8Array[]): void {
    for (const datagram of datagrams) {
      try {
        for (const message of parseMessages(datagram)) this.#handle(message);
        this.#port ??= portOf(datagram);
      } catch {
        // The kernel does not do this. If it did, an answer would be missing.
        this.#failAll(EBADMSG);
      }
    }
    this.#sendWaiting();
  }

  #handle(message: NetlinkMessage): void {
    const exchange = this.#underWay.get(message.sequence);
    // The answer to one that timed out.
    if (!exchange) return;
    const index = (message.sequence - exchange.first) >>> 0;
    if (message.type === NLMSG_ERROR) {
      const error = parseStatus(message);
      if (error) exchange.onError(index, error);
      if (index === exchange.offsets.length - 1) this.#end(exchange);
    } else if (message.type === NLMSG_DONE) {
      const error = parseStatus(message);
      exchange.onReply(message);
      if (error) exchange.onError(index, error);
      this.#end(exchange);
    } else exchange.onReply(message);
  }

  #end(exchange: Exchange, error?: NetlinkError): void {
    exchange.cancelTimeout();
    exchange.offsets.forEach((_, i) => this.#underWay.delete((exchange.first + i) >>> 0));
    exchange.onEnd(error);
    if (error) this.#sendWaiting();
  }

  /** Answers were lost, and nothing tells which. */
  #failAll(errno: number): void {
    const text = errno === ENOBUFS ? 'answers were lost' : undefined;
    const exchanges = new Set([...this.#underWay.values()]);
    if (this.#closed) this.#waiting.splice(0).forEach((exchange) => exchanges.add(exchange));
    this.#underWay.clear();
    for (const exchange of exchanges) {
      exchange.cancelTimeout();
      exchange.onEnd(new NetlinkError(errno, text));
    }
    this.#sendWaiting();
  }
}
