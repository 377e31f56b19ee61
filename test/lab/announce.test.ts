/**
 * Announcing for routers without the daemon: what README says about BIRD's and babeld's configuration, run. Router a has
 * clients, as routes of protocol 44 in table 44; router b runs nothing but a routing protocol.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { obstacle } from './harness.js';
import { Cleanup, Service, until } from './shell.js';
import { loopback4, loopback6, Topology } from './topology.js';

const CLIENTS = { 4: ['10.44.1.9', '10.44.200.7'], 6: ['2001:db8:44:7::/64', '2001:db8:44:8::/64'] } as const;

/** README's configuration of BIRD, and Babel on the mesh link. */
const BIRD_ANNOUNCING = `
ipv4 table clients4;
ipv6 table clients6;
protocol kernel { kernel table 44; learn; ipv4 { table clients4; import where krt_source = 44; export none; }; }
protocol kernel { kernel table 44; learn; ipv6 { table clients6; import where krt_source = 44; export none; }; }
protocol pipe { table master4; peer table clients4; import all; export none; }
protocol pipe { table master6; peer table clients6; import all; export none; }
protocol babel {
	interface "to-b" { type wired; hello interval 1 s; update interval 2 s; };
	ipv4 { import all; export where krt_source = 44 || source = RTS_BABEL; };
	ipv6 { import all; export where krt_source = 44 || source = RTS_BABEL; };
}
`;

const BIRD = `
protocol babel {
	interface "to-a" { type wired; hello interval 1 s; update interval 2 s; };
	ipv4 { import all; export where source = RTS_BABEL; };
	ipv6 { import all; export where source = RTS_BABEL; };
}
`;

const birdConfig = (id: string, rest: string) => `
router id ${id};
protocol device { }
protocol kernel { ipv4 { export where source = RTS_BABEL; }; }
protocol kernel { ipv6 { export where source = RTS_BABEL; }; }
${rest}`;

/** README's configuration of babeld. */
const BABELD_ANNOUNCING = `
import-table 254
import-table 44
redistribute proto 44 allow
redistribute local deny
default hello-interval 1 update-interval 4
`;

class Pair {
  readonly cleanup = new Cleanup();
  readonly net = new Topology('tann', this.cleanup);

  constructor(readonly directory: string) {}

  async start(): Promise<void> {
    await this.net.sweep();
    for (const host of ['a', 'b']) await this.net.addHost(host, true);
    await this.net.link('a', 'b');
    await this.net.ip('a', `addr add ${loopback4(1)}/32 dev to-b`);
    await this.net.ip('b', `addr add ${loopback4(2)}/32 dev to-a`);
    await this.net.ip('a', `addr add ${loopback6(1)}/128 dev lo`);
    await this.net.addClientBridge('a');
  }

  /** What the daemon does when clients come, or go. */
  async clients(op: 'add' | 'del'): Promise<void> {
    for (const destination of CLIENTS[4]) await this.net.ip('a', `-4 route ${op} ${destination} dev br-client table 44 proto 44`);
    for (const destination of CLIENTS[6]) await this.net.ip('a', `-6 route ${op} ${destination} dev br-client table 44 proto 44`);
  }

  async run(host: string, program: 'bird' | 'babeld', config: string): Promise<void> {
    const file = join(this.directory, `${host}-${program}.conf`);
    await writeFile(file, config);
    const state = (name: string) => join(this.directory, `${host}-${name}`);
    const words =
      program === 'bird'
        ? ['bird', '-f', '-c', file, '-s', state('bird.ctl')]
        : ['babeld', '-S', state('babel-state'), '-I', state('babeld.pid'), '-c', file, host === 'a' ? 'to-b' : 'to-a'];
    const service = new Service(program, this.net.in(host, ...words));
    this.cleanup.add(() => service.stop());
  }

  /** Those of the clients to which b has a route. */
  async known(): Promise<string[]> {
    const text = (await this.net.ip('b', '-4 route show')) + (await this.net.ip('b', '-6 route show'));
    return [...CLIENTS[4], ...CLIENTS[6]].filter((destination) => text.includes(`${destination} `));
  }
}

async function onPair(run: (pair: Pair) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'announce-'));
  const pair = new Pair(directory);
  try {
    await pair.start();
    await run(pair);
  } finally {
    await pair.cleanup.run();
    await rm(directory, { recursive: true });
  }
}

const everyone = [...CLIENTS[4], ...CLIENTS[6]];

t.test('BIRD announces clients, and withdraws them', { skip: await obstacle('bird') }, (t) =>
  onPair(async (pair) => {
    await pair.clients('add');
    await pair.run('a', 'bird', birdConfig(loopback4(1), BIRD_ANNOUNCING));
    await pair.run('b', 'bird', birdConfig(loopback4(2), BIRD));
    await until('b has routes to all clients', 30, async () => (await pair.known()).length === everyone.length);
    await pair.clients('del');
    await until('b has no route to a client', 30, async () => (await pair.known()).length === 0);
    await pair.clients('add');
    await until('b has routes to all clients again', 30, async () => (await pair.known()).length === everyone.length);
    t.pass('as clients came and went');
  }),
);

t.test('babeld announces clients', { skip: await obstacle('bird') }, (t) =>
  onPair(async (pair) => {
    await pair.run('a', 'babeld', `router-id 02:00:00:ff:fe:00:00:01\n${BABELD_ANNOUNCING}`);
    await pair.run('b', 'bird', birdConfig(loopback4(2), BIRD));
    await pair.clients('add');
    await until('b has routes to all clients', 30, async () => (await pair.known()).length === everyone.length);
    t.same(await pair.known(), everyone, 'and babeld to another implementation of Babel');
  }),
);
