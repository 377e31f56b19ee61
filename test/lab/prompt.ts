/**
 * The prompt of `make lab`: on its PATH a command for each host that runs a program there (`r1 ip route`), within a router
 * `roaming`, `logread` and `service` as an OpenWrt router has them, and `join` and `walk` for the clients.
 */
import { appendFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Client } from './client.js';
import type { Lab, RouterName } from './lab.js';
import { ROUTERS } from './lab.js';
import type { Router } from './router.js';

const ACTIONS = ['start', 'stop', 'restart', 'reload', 'status'] as const;
type Action = (typeof ACTIONS)[number];

/** Words that cannot be: said to who typed them. */
class Misuse extends Error {}

export class Prompt {
  readonly bin: string;
  readonly #control: string;
  readonly #server: Server;
  readonly #clients = new Map<string, Client>();

  private constructor(
    private readonly lab: Lab,
    private readonly program: string,
  ) {
    this.bin = join(lab.directory, 'bin');
    this.#control = join(lab.directory, 'control');
    this.#server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket));
  }

  /** `program`: the daemon's, which is the command line too. `client`: the one that is there already. */
  static async create(lab: Lab, program: string, client: Client): Promise<Prompt> {
    const prompt = new Prompt(lab, program);
    await prompt.#start(client);
    return prompt;
  }

  async #start(client: Client): Promise<void> {
    await mkdir(this.bin);
    this.lab.cleanup.add(() => this.#server.close());
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(this.#control, resolve));
    for (const word of ['join', 'walk']) await this.#script(this.bin, word, this.#tell(word));
    for (const router of Object.values(this.lab.routers)) await this.#addRouter(router);
    await this.#addHost('server');
    await this.#addClient(client);
  }

  async #addClient(client: Client): Promise<void> {
    this.#clients.set(client.name, client);
    await this.#addHost(client.name);
  }

  async #addHost(host: string): Promise<void> {
    await this.#script(this.bin, host, runIn(this.lab.net.in(host)));
  }

  async #addRouter(router: Router): Promise<void> {
    const bin = join(router.directory, 'bin');
    const log = join(router.directory, 'log');
    await mkdir(bin);
    await this.#script(this.bin, router.name, `PATH=${bin}:$PATH\nexport PATH\n${runIn(this.lab.net.in(router.name))}`);
    await this.#script(bin, 'logread', `exec tail -n +1 "$@" ${log}\n`);
    await this.#script(bin, 'service', `[ "$1" = roaming ] || { echo 'only roaming is a service here' >&2; exit 2; }\nset -- ${router.name} "$2"\n${this.#tell('service')}`);
    const program = [
      'case $1 in',
      `setup) set -- "$@" --confdir ${dirname(router.configFile)} ;;`,
      `check | daemon) set -- "$@" --config ${router.configFile} --ubus ${router.ubusSocket} ;;`,
      "keygen | completion | '' | -*) ;;",
      `*) set -- "$@" --ubus ${router.ubusSocket} ;;`,
      'esac',
      `exec ${process.execPath} ${this.program} "$@"\n`,
    ];
    await this.#script(bin, 'roaming', program.join('\n'));
    keepLog(router, log);
  }

  #script(directory: string, name: string, text: string): Promise<void> {
    return writeFile(join(directory, name), `#!/bin/sh\n${text}`, { mode: 0o755 });
  }

  /** Sends its words here and prints the answer. */
  #tell(word: string): string {
    const program = `
      const [path, ...words] = process.argv.slice(1);
      const socket = require('net').connect(path, () => socket.end(words.join(' ') + '\\n'));
      let text = '';
      socket.on('data', (data) => (text += data)).on('end', () => {
        process.exitCode = Number(text[0]);
        (text[0] === '0' ? process.stdout : process.stderr).write(text.slice(1));
      });`;
    return `exec ${process.execPath} -e "${program.replaceAll('\n', ' ')}" ${this.#control} ${word} "$@"\n`;
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    for await (const line of createInterface({ input: socket })) {
      try {
        socket.write(`0${await this.#do(line.trim().split(/ +/))}\n`);
      } catch (error) {
        socket.write(`${error instanceof Misuse ? 2 : 1}${(error as Error).message}\n`);
      }
    }
    socket.end();
  }

  async #do([word, ...words]: readonly string[]): Promise<string> {
    switch (word) {
      case 'walk':
        return this.#walk(words.length > 1 ? words[0]! : 'client', words.at(-1));
      case 'join':
        return this.#join(words[0], words[1], words[2]);
      default:
        return this.#service(words[0]!, words[1]);
    }
  }

  async #walk(name: string, to: string | undefined): Promise<string> {
    const client = this.#clients.get(name);
    if (client === undefined) throw new Misuse(`there is no client ${name}: ${[...this.#clients.keys()].join(', ')}`);
    const router = this.#routerOf(to, 'walk [CLIENT] ROUTER');
    if (client.at === router) return `${name} is at ${router}`;
    const { from, away } = await this.lab.roam(client, router);
    return `${name}: ${from} -> ${router}, unplugged for ${away.toFixed(0)} ms`;
  }

  async #join(name: string | undefined, at: string | undefined, given: string | undefined): Promise<string> {
    const usage = 'join CLIENT ROUTER [MAC]';
    const router = this.#routerOf(at, usage);
    if (name === undefined || !/^[a-z][a-z0-9]{0,10}$/.test(name)) throw new Misuse(`${usage}: a client's name is a short word`);
    if (this.#clients.has(name) || name === 'server' || name in this.lab.routers) throw new Misuse(`there is a ${name} already`);
    const mac = given ?? `02:00:00:00:00:${(this.#clients.size + 1).toString(16).padStart(2, '0')}`;
    const client = await this.lab.addClient(name, mac, router);
    await this.#addClient(client);
    await client.startDhcp();
    return `${name} (${mac}) is at ${router}`;
  }

  #routerOf(text: string | undefined, usage: string): RouterName {
    const router = ROUTERS.find((name) => name === text && this.lab.routers[name].options.clients);
    if (router === undefined) throw new Misuse(`${usage}: routers with clients are r1, r2, r3`);
    return router;
  }

  async #service(name: string, text: string | undefined): Promise<string> {
    const action = ACTIONS.find((one) => one === text);
    if (action === undefined) throw new Misuse(`service roaming ${ACTIONS.join('|')}`);
    const router = this.lab.routers[name as RouterName];
    return SERVICE[action](router);
  }
}

const SERVICE: { readonly [action in Action]: (router: Router) => Promise<string> } = {
  async start(router) {
    if (router.daemon?.running) return 'running';
    router.startDaemon();
    keepLog(router, join(router.directory, 'log'));
    return 'started';
  },
  async stop(router) {
    await router.daemon?.stop();
    return 'stopped';
  },
  async restart(router) {
    await SERVICE.stop(router);
    return SERVICE.start(router);
  },
  async reload(router) {
    router.daemon?.child.kill('SIGHUP');
    return 'told to read its configuration again';
  },
  async status(router) {
    return router.daemon?.running ? `running (${router.daemon.child.pid})` : 'inactive';
  },
};

/** What its daemon has said, and goes on to say, to a file. */
function keepLog({ daemon }: Router, file: string): void {
  if (daemon === undefined) return;
  appendFileSync(file, daemon.output);
  daemon.onLine = (line) => appendFileSync(file, `${line}\n`);
}

/** With its arguments as the program, else with a shell. */
function runIn(words: readonly string[]): string {
  return `exec ${words.join(' ')} "\${@:-\${SHELL:-sh}}"\n`;
}
