import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Field } from '../codec/blobmsg.js';
import { parseJson } from '../codec/json-parse.js';
import { AccountFiles } from './accounts.js';
import { type AclRule, type Credentials, aclRules } from './acl.js';
import type { Client, RandomId } from './bus.js';
import { BrokerCore } from './core.js';

/** Where ubusd listens on OpenWrt. */
export const defaultBrokerPath = '/var/run/ubus/ubus.sock';
/** Where ubusd looks for ACL files on OpenWrt. */
export const defaultAclDirectory = '/usr/share/acl.d';

/** Bytes that a unix socket's address holds, without the NUL (unix(7)). What is longer would be cut off, silently. */
const maxPathLength = 107;

/** Settings of a `Broker`. */
export interface BrokerOptions {
  /** The unix socket to listen at; `defaultBrokerPath` if not given. */
  readonly path?: string;
  /**
   * A directory with ACL files, `*.json`. As for ubusd they only count if they belong to root, or to this process's user, and
   * nobody else may write them. Without it, clients that are not root may do nothing but add anonymous objects.
   */
  readonly acl?: string;
  /**
   * Who clients are. ubusd asks the kernel (SO_PEERCRED); Node cannot, so **every client of a socket is taken to be this one**.
   * If not given: the user and group of this process. See `Broker.listen` for how to serve different users.
   */
  readonly credentials?: Credentials;
  /** Where the ids of clients, objects and types come from; by default they are random. */
  readonly random?: RandomId;
  /** Is told about ACL files that were passed over, and why. */
  readonly onWarning?: (warning: string) => void;
}

/** A small ubusd: for tests, demonstration and development. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #core: BrokerCore;
  readonly #servers = new Set<Server>();
  readonly #sockets = new Set<Socket>();
  #accounts: AccountFiles | undefined;
  #hadAclFiles = false;

  constructor(options: BrokerOptions = {}) {
    this.#options = options;
    this.#core = new BrokerCore(options.random ?? randomId);
  }

  /**
   * Reads the ACL files and begins to listen. A socket that an earlier run left behind is replaced, one at which somebody still
   * listens is not. May be called again with another path and other credentials: each socket can so stand for a user of its own.
   * @throws RangeError if the path is longer than 107 bytes; Error with code EADDRINUSE, EACCES or whatever else keeps the socket
   *   from being made
   */
  async listen(socket: { readonly path?: string; readonly credentials?: Credentials } = {}): Promise<void> {
    this.#accounts ??= await readAccounts();
    const path = socket.path ?? this.#options.path ?? defaultBrokerPath;
    if (Buffer.byteLength(path) > maxPathLength) throw new RangeError(`${path} is longer than the ${maxPathLength} bytes of a socket's path`);
    const credentials = socket.credentials ?? this.#options.credentials ?? ownCredentials(this.#accounts);
    if (this.#servers.size === 0) await this.reloadAcl();
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await removeStale(path);
    const server = createServer({ allowHalfOpen: true }, client => this.#accept(client, credentials));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path, readableAll: true, writableAll: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#servers.add(server);
  }

  /** Reads the ACL files again and tells who listens to `ubus.acl.sequence`, as ubusd does on SIGHUP. */
  async reloadAcl(): Promise<void> {
    const directory = this.#options.acl;
    if (directory === undefined) return;
    this.#accounts ??= await readAccounts();
    const names = await aclFileNames(directory);
    // Where there are no files, ubusd does not count a reading; but the rules of files that are gone have to go.
    if (names.length === 0 && !this.#hadAclFiles) return;
    this.#hadAclFiles = names.length > 0;
    const rules: AclRule[] = [];
    for (const name of names) rules.push(...(await this.#readAclFile(join(directory, name), this.#accounts)));
    this.#core.setAcl(rules);
  }

  /** Disconnects everybody and removes the sockets. */
  async close(): Promise<void> {
    const closed = [...this.#servers].map(server => new Promise<void>(resolve => server.close(() => resolve())));
    this.#servers.clear();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #accept(socket: Socket, credentials: Credentials): void {
    this.#sockets.add(socket);
    let blocked = false;
    let ended = false;
    const flushed = (): void => {
      if (!blocked || socket.writableLength > 0) return;
      blocked = false;
      this.#core.writable(client);
      if (ended && !blocked) socket.destroy();
    };
    const client: Client = this.#core.connect(
      {
        write: message => {
          socket.write(message, flushed);
          blocked = socket.writableLength > 0;
          return !blocked;
        },
        pause: paused => void (paused ? socket.pause() : socket.resume()),
        close: () => void socket.destroy(),
      },
      credentials,
    );
    socket.on('data', chunk => this.#core.receive(client, chunk));
    socket.on('end', () => {
      // Who only stopped sending still gets what waits for it.
      ended = true;
      if (!blocked) socket.destroy();
    });
    // 'close' follows, and there is nobody left to tell.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#core.disconnect(client);
    });
  }

  async #readAclFile(path: string, accounts: AccountFiles): Promise<AclRule[]> {
    try {
      const { uid, gid, mode } = await stat(path);
      if (!belongsToUs(uid, gid)) throw new Error('belongs neither to root nor to the user of this process');
      if ((mode & 0o023) !== 0) throw new Error('others may write or execute it');
      const file: Field[] = parseJson(await readFile(path, 'utf8'));
      return aclRules(file, accounts);
    } catch (error) {
      this.#options.onWarning?.(`${path} is passed over: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }
}

function randomId(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

async function readAccounts(): Promise<AccountFiles> {
  const [passwd, group] = await Promise.all(['/etc/passwd', '/etc/group'].map(path => readFile(path, 'utf8').catch(() => '')));
  return new AccountFiles(passwd!, group!);
}

/** On systems that do not have users in this sense, root. */
function ownCredentials(accounts: AccountFiles): Credentials {
  return accounts.credentials(process.getuid?.() ?? 0, process.getgid?.() ?? 0, process.getgroups?.() ?? []);
}

function belongsToUs(uid: number, gid: number): boolean {
  return (uid === 0 && gid === 0) || uid === process.getuid?.();
}

async function aclFileNames(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter(name => name.endsWith('.json') && !name.startsWith('.')).sort();
}

/** Removes a socket that nobody listens at. */
async function removeStale(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isSocket()) return;
  const alive = await new Promise<boolean>(resolve => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!alive) await rm(path, { force: true });
}
