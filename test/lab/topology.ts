/**
 * The lab's network: network namespaces, veth links, bridges.
 *
 *     client            server
 *       |                 |
 *      (r1)---(r2)---(r3)---(r4)
 *
 * r1 to r3 have a client bridge; r4 is a transit node. The client's cable is plugged from bridge to bridge. Routers know
 * each other by the address on their loopback interface, which babeld carries.
 */
import { ip, run, until } from './shell.js';
import type { Cleanup } from './shell.js';

/** RFC 6543: the MAC that every router shows to clients, and the link-local address that EUI-64 makes of it. */
export const GATEWAY_MAC = '00:00:5e:00:52:13';
export const GATEWAY_LL = 'fe80::200:5eff:fe00:5213';
export const GATEWAY4 = '10.44.0.1';
export const PREFIX4 = '10.44.0.0/16';
export const PREFIX6 = '2001:db8:44::/48';
export const SERVER4 = '10.97.0.2';
export const SERVER6 = 'fd97::2';

export const loopback4 = (n: number) => `10.99.0.${n}`;
export const loopback6 = (n: number) => `fd99::${n}`;

export class Topology {
  constructor(
    /** Begins the names of all namespaces, so that two labs do not meet. */
    readonly prefix: string,
    private readonly cleanup: Cleanup,
  ) {}

  ns(host: string): string {
    return `${this.prefix}-${host}`;
  }

  /** The words that run a program in a host's namespace. */
  in(host: string, ...command: string[]): string[] {
    return ['ip', 'netns', 'exec', this.ns(host), ...command];
  }

  exec(host: string, ...command: string[]): Promise<string> {
    const [program, ...args] = this.in(host, ...command);
    return run(program!, ...args);
  }

  ip(host: string, words: string): Promise<string> {
    return ip(`-n ${this.ns(host)} ${words}`);
  }

  /** Pings until an answer comes: any single one may be lost. Rejects where none does. */
  async reach(from: string, to: string): Promise<void> {
    await until(`${from} reaches ${to}`, 10, () => this.exec(from, 'ping', '-c', '1', '-W', '1', to).then(() => true, () => false));
  }

  /** Removes what an earlier run of the same name left, programs included. */
  async sweep(): Promise<void> {
    for (const name of await namespaces()) if (name.startsWith(`${this.prefix}-`)) await remove(name);
  }

  async addHost(host: string, forwarding: boolean): Promise<void> {
    const name = this.ns(host);
    this.cleanup.add(() => remove(name));
    await ip(`netns add ${name}`);
    const settings = ['net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0'];
    if (forwarding) settings.push('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    await this.exec(host, 'sysctl', '-qw', ...settings);
    await this.ip(host, 'link set lo up');
  }

  /** A cable between two hosts; the interface is named after the host at the other end. */
  async link(a: string, b: string): Promise<void> {
    await ip(`link add to-${b} netns ${this.ns(a)} type veth peer name to-${a} netns ${this.ns(b)}`);
    await this.ip(a, `link set to-${b} up`);
    await this.ip(b, `link set to-${a} up`);
  }

  /** The bridge above a router's access point, with the addresses that all routers show, and the ports of its radios. */
  async addClientBridge(router: string): Promise<void> {
    await this.ip(router, `link add br-client address ${GATEWAY_MAC} type bridge forward_delay 0`);
    await this.exec(router, 'sysctl', '-qw', 'net.ipv6.conf.br-client.accept_dad=0');
    await this.ip(router, 'link set br-client up');
    await this.ip(router, `addr add ${GATEWAY4}/16 dev br-client`);
    for (const [radio, air] of [['wlan0', 'air0'], ['wlan1', 'air1']]) {
      await this.ip(router, `link add ${radio} type veth peer name ${air}`);
      await this.ip(router, `link set ${radio} master br-client up`);
      await this.ip(router, `link set ${air} up`);
    }
  }

  /** Plugs a cable from `client` into the bridge of `router`; its interface there is `plug`. */
  async plug(client: string, router: string, plug: string, mac: string): Promise<void> {
    const [near, far] = [this.ns(client), this.ns(router)];
    await ip(`link add eth0 netns ${near} address ${mac} type veth peer name ${plug} netns ${far}`);
    await this.ip(router, `link set ${plug} master br-client up`);
    await this.ip(client, 'link set eth0 up');
  }

  /** Moves the plug to another router's bridge. */
  async move(plug: string, from: string, to: string): Promise<void> {
    await this.ip(from, `link set ${plug} netns ${this.ns(to)}`);
    await this.ip(to, `link set ${plug} master br-client up`);
  }
}

async function namespaces(): Promise<string[]> {
  return (await ip('netns list')).split('\n').map((line) => line.split(' ')[0]!);
}

async function remove(name: string): Promise<void> {
  if (!(await namespaces()).includes(name)) return;
  const pids = (await ip(`netns pids ${name}`).catch(() => '')).split('\n').filter((pid) => pid !== '');
  if (pids.length > 0) await run('kill', '-9', ...pids).catch(() => {});
  await ip(`netns del ${name}`);
}
