/**
 * A stand-in for a router's web server: the app's files, the stand-in runtime, and JSON-RPC that is passed on to ubus as
 * uhttpd does, with the rights that rpcd's ACL files give a session.
 */
import { readFile, readdir } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type { PlainTable, UbusClient } from 'ubus-ts';
import { decodeFields, fromFields, Status, UbusError } from 'ubus-ts';
import { APP, generateSchema, SCHEMA } from '../../openwrt/luci.js';

const HERE = 'test/luci';
const TYPES: { readonly [suffix: string]: string } = { js: 'text/javascript', css: 'text/css' };

/** Rights by ubus object, as rpcd's ACL files list them. */
interface Rights {
  readonly ubus?: { readonly [object: string]: readonly string[] };
  readonly uci?: readonly string[];
}
interface Group {
  readonly read: Rights;
  readonly write: Rights;
}

/** Sessions by their name: what `reader` and `admin` may do with the ACL groups that they were given. */
export type Session = 'reader' | 'admin';

export class WebServer {
  /** Calls that were refused, `object method`. */
  readonly denied: string[] = [];
  readonly #server: Server;
  #groups: readonly Group[] = [];

  private constructor(private readonly ubus: UbusClient) {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: Error) => response.writeHead(500).end(error.stack));
    });
  }

  static async start(ubus: UbusClient): Promise<WebServer> {
    const server = new WebServer(ubus);
    const directory = `${APP}/root/usr/share/rpcd/acl.d`;
    for (const name of await readdir(directory)) {
      const file = JSON.parse(await readFile(join(directory, name), 'utf8')) as { [name: string]: Group };
      server.#groups = [...server.#groups, ...Object.values(file)];
    }
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** The page of a view, `roaming/overview`. `speed`: how much faster polls come. */
  page(view: string, { session = 'admin', theme = 'light', speed = 1 }: { session?: Session; theme?: 'light' | 'dark'; speed?: number } = {}): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/?${new URLSearchParams({ view, session, theme, speed: String(speed) })}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
    if (pathname === '/ubus') return this.#call(request, response);
    if (pathname === '/') return void response.writeHead(200, { 'content-type': 'text/html' }).end(html(searchParams));
    const path = normalize(pathname);
    const file = path.startsWith('/luci-static/') ? `${APP}/htdocs${path}` : `${HERE}${path}`;
    const type = TYPES[path.split('.').at(-1)!] ?? 'text/plain';
    const content = file === SCHEMA ? await generateSchema() : await readFile(file).catch(() => undefined);
    if (content === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': type }).end(content);
  }

  /** {"jsonrpc","id","method":"call","params":[session, object, method, args]} -> "result": [status, data] */
  async #call(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id, params } = JSON.parse(Buffer.concat(chunks).toString()) as { id: number; params: [Session, string, string, PlainTable] };
    const [session, object, method, args] = params;
    const reply = (answer: object) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    if (!this.#mayCall(session, object, method, args)) {
      this.denied.push(`${object} ${method}`);
      return reply({ error: { code: -32002, message: 'Access denied' } });
    }
    let data: PlainTable | undefined;
    try {
      await this.ubus.invoke(object, method, args, (bytes) => {
        data = fromFields(decodeFields(bytes));
      });
      return reply({ result: data === undefined ? [0] : [0, data] });
    } catch (error) {
      if (!(error instanceof UbusError)) throw error;
      if (error.status === Status.notFound) return reply({ error: { code: -32000, message: 'Object not found' } });
      return reply({ result: data === undefined ? [error.status] : [error.status, data] });
    }
  }

  #mayCall(session: Session, object: string, method: string, args: PlainTable): boolean {
    const rights = this.#groups.flatMap(({ read, write }) => (session === 'admin' ? [read, write] : [read]));
    if (object === 'uci') {
      // rpcd's uci plugin is open to LuCI and looks at the right to the package itself.
      if (method === 'apply') return session === 'admin';
      const wanted = method === 'get' ? 'read' : 'write';
      const packages = this.#groups.flatMap((group) => (wanted === 'read' || session === 'admin' ? (group[wanted].uci ?? []) : []));
      return packages.includes(String(args['config']));
    }
    return rights.some(({ ubus = {} }) => ubus[object]?.includes(method) === true);
  }
}

function html(search: URLSearchParams): string {
  const session = search.get('session') ?? 'admin';
  const settings = { view: search.get('view'), session, speed: Number(search.get('speed') ?? 1), writable: session === 'admin' };
  const dark = search.get('theme') === 'dark';
  return `<!doctype html>
<html lang="en" data-darkmode="${dark}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Router</title>
<link rel="stylesheet" href="/style.css"><link rel="icon" href="data:,">
<script type="application/json" id="settings">${JSON.stringify(settings)}</script>
<script type="module" src="/runtime.js"></script>
</head>
<body data-page="${settings.view?.replaceAll('/', '-')}"><div id="notifications"></div><div id="view"></div></body>
</html>
`;
}
