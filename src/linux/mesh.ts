/**
 * Streams between nodes: TCP, and inside it TLS 1.3 (RFC 8446) with a pre-shared key where one is set.
 *
 * There are no certificates: a peer shows that it holds the key, or the handshake fails before either side has said
 * anything else. The key exchange is (EC)DHE with PSK, so that a key that becomes known later opens no recording. The
 * PSK is scrypt (RFC 7914) of the configured text, with the constant salt {@link SALT}: whoever records a handshake of
 * a network with a poor password pays for each guess. Node hands external PSKs to OpenSSL with SHA-256 as their hash,
 * hence the two cipher suites; ChaCha20 comes first because most routers have no AES instructions.
 */
import { scrypt } from 'node:crypto';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import type { Endpoint, Logger, Mesh, PeerStream, PeerStreamEvents } from '../ports.js';
import type { PacketAddon } from './addons.js';
import { plainAddress, reasonOf, RefusalLog, refusalOf } from './mesh-errors.js';
import { TcpOptions } from './tcp.js';

const SALT = 'roaming flooding psk 1';
const IDENTITY = 'roaming';

const TLS_OPTIONS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
} as const;

/** Milliseconds. */
const CONNECT_TIMEOUT = 10_000;
const HANDSHAKE_TIMEOUT = 5_000;
/** How long the peer may take, after the end of a stream, to read what is queued. */
const LINGER = 5_000;
const KEEPALIVE = 30_000;

/** Connections accepted at once, and unfinished handshakes of one address. */
const MAX_CONNECTIONS = 256;
const MAX_HANDSHAKES = 16;

export interface LinuxMeshOptions {
  /** Secret text that all routers share, or what {@link derivePsk} made of it; undefined: no TLS, anybody may connect. */
  readonly key: string | Promise<Uint8Array> | undefined;
  readonly addon: PacketAddon;
  readonly log: Logger;
  /** Milliseconds for an accepted connection to finish the TLS handshake. */
  readonly handshakeTimeout?: number;
}

/** The pre-shared key, 32 bytes, of a configured text. */
export async function derivePsk(key: string): Promise<Buffer> {
  const cost = { N: 16384, r: 8, p: 1 };
  return promisify<string, string, number, typeof cost, Buffer>(scrypt)(key, SALT, 32, cost);
}

export class LinuxMesh implements Mesh {
  readonly #options: LinuxMeshOptions;
  /** Derived once, off the event loop; undefined: no TLS. */
  readonly #psk: Promise<Uint8Array> | undefined;
  readonly #refusals: RefusalLog;
  readonly #tcp: TcpOptions;
  readonly #sockets = new Set<net.Socket>();
  /** Unfinished handshakes: ports by address. */
  readonly #handshakes = new Map<string, Set<number>>();
  #server: net.Server | undefined;
  #stopped = false;

  constructor(options: LinuxMeshOptions) {
    this.#options = options;
    this.#refusals = new RefusalLog(options.log);
    this.#tcp = new TcpOptions(options.addon);
    this.#psk = typeof options.key === 'string' ? derivePsk(options.key) : options.key;
  }

  /** The port that is listened on: differs from the wanted one where that was 0. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  async listen(
    accept: (stream: PeerStream) => PeerStreamEvents,
    port: number,
    admit: (address: string) => boolean = () => true,
  ): Promise<void> {
    const psk = await this.#psk;
    if (this.#stopped) return;
    const begin = psk === undefined ? (socket: net.Socket) => this.#serve(socket, accept) : this.#secure(psk, accept);
    const server = net.createServer((socket) => {
      if (this.#admits(socket, admit)) begin(socket);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('drop', (dropped) => {
      this.#refusals.add(dropped?.remoteAddress, `${MAX_CONNECTIONS} connections are open already`);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new Error(`port ${port}: ${reasonOf(error)}`, { cause: error })));
      // Without an address: all of IPv6 and IPv4, or of IPv4 alone where the kernel has no IPv6.
      server.listen({ port }, resolve);
    });
    server.on('error', (error) => this.#options.log.error(`accepting peers: ${reasonOf(error)}`));
  }

  #admits(socket: net.Socket, admit: (address: string) => boolean): boolean {
    const address = plainAddress(socket.remoteAddress);
    this.#prepare(socket);
    if (admit(address)) return true;
    this.#refusals.add(address, 'this address may not be a peer');
    socket.destroy();
    return false;
  }

  /** Every socket of ours: known until it is closed, small writes at once, never without a listener for errors. */
  #prepare(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE);
  }

  /** What makes a TLS session of an accepted connection. */
  #secure(psk: Uint8Array, accept: (stream: PeerStream) => PeerStreamEvents): (socket: net.Socket) => void {
    const server = tls.createServer({
      ...TLS_OPTIONS,
      handshakeTimeout: this.#options.handshakeTimeout ?? HANDSHAKE_TIMEOUT,
      pskCallback: (_socket, identity) => (identity === IDENTITY ? psk : null),
    });
    server.on('secureConnection', (socket) => {
      this.#finishHandshake(plainAddress(socket.remoteAddress), socket.remotePort!);
      this.#serve(socket, accept);
    });
    server.on('tlsClientError', (error, socket) => {
      this.#refusals.add(socket.remoteAddress, refusalOf(error));
      socket.destroy();
    });
    return (socket) => {
      if (this.#beginHandshake(socket)) server.emit('connection', socket);
    };
  }

  /** One address cannot have all the connections that are accepted at once without showing the key. */
  #beginHandshake(socket: net.Socket): boolean {
    const address = plainAddress(socket.remoteAddress);
    const port = socket.remotePort ?? 0;
    const ports = this.#handshakes.get(address) ?? new Set();
    if (ports.size >= MAX_HANDSHAKES) {
      this.#refusals.add(address, `${MAX_HANDSHAKES} handshakes are unfinished already`);
      socket.destroy();
      return false;
    }
    this.#handshakes.set(address, ports.add(port));
    socket.once('close', () => this.#finishHandshake(address, port));
    return true;
  }

  #finishHandshake(address: string, port: number): void {
    const ports = this.#handshakes.get(address);
    ports?.delete(port);
    if (ports?.size === 0) this.#handshakes.delete(address);
  }

  dial(endpoint: Endpoint, opened: (stream: PeerStream) => PeerStreamEvents, failed: (reason: string) => void): void {
    void this.#dial(endpoint, opened, failed);
  }

  async #dial(
    { host, port }: Endpoint,
    opened: (stream: PeerStream) => PeerStreamEvents,
    failed: (reason: string) => void,
  ): Promise<void> {
    const psk = await this.#psk;
    if (this.#stopped) return;
    const socket = psk === undefined ? net.connect({ host, port }) : connectSecurely(host, port, psk);
    this.#prepare(socket);
    const outcome = once((reason: string | undefined) => {
      clearTimeout(timer);
      socket.off('error', onError).off('close', onClose);
      if (reason === undefined) this.#serve(socket, opened);
      else {
        socket.destroy();
        failed(reason);
      }
    });
    const timer = setTimeout(() => outcome('no answer in time'), CONNECT_TIMEOUT);
    const onError = (error: Error) => outcome(reasonOf(error));
    const onClose = () => outcome('connection closed');
    socket.once('error', onError).once('close', onClose);
    socket.once(psk === undefined ? 'connect' : 'secureConnect', () => outcome(undefined));
  }

  #serve(socket: net.Socket, opened: (stream: PeerStream) => PeerStreamEvents): void {
    this.#tcp.insist(socket);
    attach(socket, opened(new SocketStream(socket, this.#tcp)));
  }

  stop(): void {
    this.#stopped = true;
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** No certificate is good enough: one that a public authority signed does not show that the peer holds the key. */
function connectSecurely(host: string, port: number, psk: Uint8Array): tls.TLSSocket {
  return tls.connect({
    host,
    port,
    ...TLS_OPTIONS,
    ca: [],
    checkServerIdentity: () => new Error('the peer has a certificate instead of the key'),
    pskCallback: () => ({ psk, identity: IDENTITY }),
  });
}

class SocketStream implements PeerStream {
  readonly remote: string;

  constructor(
    readonly socket: net.Socket,
    private readonly tcp: TcpOptions,
  ) {
    const address = plainAddress(socket.remoteAddress);
    this.remote = address.includes(':') ? `[${address}]:${socket.remotePort}` : `${address}:${socket.remotePort}`;
  }

  get queued(): number {
    return this.socket.writableLength;
  }

  get acknowledged(): boolean {
    return this.tcp.isAcknowledged(this.socket);
  }

  get timeouts(): number | undefined {
    return this.tcp.timeouts(this.socket);
  }

  write(bytes: Uint8Array): boolean {
    return this.socket.writable ? this.socket.write(bytes) : true;
  }

  end(): void {
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), LINGER);
    this.socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function attach(socket: net.Socket, events: PeerStreamEvents): void {
  let reason: string | undefined;
  if (socket.destroyed) {
    events.closed(undefined);
    return;
  }
  socket.on('error', (error) => (reason ??= reasonOf(error)));
  socket.on('data', (bytes) => events.data(bytes));
  socket.on('drain', () => events.drained());
  // A peer that has ended its side has nothing to listen for either.
  socket.on('end', () => socket.destroy());
  socket.once('close', () => events.closed(reason));
}

/** A function that acts at its first call only. */
function once<A extends unknown[]>(task: (...args: A) => void): (...args: A) => void {
  let done = false;
  return (...args) => {
    if (done) return;
    done = true;
    task(...args);
  };
}
