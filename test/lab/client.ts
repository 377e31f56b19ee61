/** The lab's client: a real DHCP client, the kernel's own SLAAC, pings and a TCP connection. Nothing of ours runs on it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from './shell.js';
import { Service, until } from './shell.js';
import type { Gap } from './pings.js';
import { gapBetween, readPingLine, silencesBetween } from './pings.js';
import type { Topology } from './topology.js';
import { GATEWAY4, GATEWAY_LL, GATEWAY_MAC } from './topology.js';

/** What udhcpc runs when it has a lease: addresses and routes as any distribution's script sets them. */
const LEASE_SCRIPT = `#!/bin/sh
case "$1" in
bound|renew)
	ip addr replace "$ip/\${mask:-32}" dev "$interface" valid_lft "$lease" preferred_lft "$lease"
	for gateway in $router; do ip route replace default via "$gateway" dev "$interface" onlink; break; done
	echo "$1 $ip/$mask via $router dns $dns lease $lease server $serverid" ;;
deconfig)
	ip -4 addr flush dev "$interface"
	echo deconfig ;;
*)
	echo "$1" ;;
esac
`;

export class Client {
  dhcp: Service | undefined;
  /** The router whose bridge the cable is plugged into. */
  at = '';

  constructor(
    private readonly net: Topology,
    readonly name: string,
    readonly mac: string,
    private readonly directory: string,
    private readonly cleanup: Cleanup,
  ) {}

  /** Its interface at the router's end. */
  get plug(): string {
    return `sta-${this.name}`.slice(0, 15);
  }

  async plugIn(router: string): Promise<void> {
    await this.net.plug(this.name, router, this.plug, this.mac);
    this.at = router;
  }

  /** Moves to another router; returns for how long the cable was in neither. */
  async roam(router: string): Promise<{ from: string; away: number }> {
    const from = this.at;
    const start = performance.now();
    await this.net.move(this.plug, from, router);
    this.at = router;
    return { from, away: performance.now() - start };
  }

  /**
   * Without a carrier too it keeps its neighbours, as phones do. Linux forgets them, asks for its gateway before its
   * access point lets it speak, and again a second later where nobody has told it.
   */
  async keepNeighbours(): Promise<void> {
    const settings = ['ipv4.conf.eth0.arp_evict_nocarrier=0', 'ipv6.conf.eth0.ndisc_evict_nocarrier=0'];
    await this.net.exec(this.name, 'sysctl', '-qw', ...settings.map((setting) => `net.${setting}`));
  }

  async startDhcp(): Promise<void> {
    const script = join(this.directory, `${this.name}-udhcpc.sh`);
    await writeFile(script, LEASE_SCRIPT, { mode: 0o755 });
    const options = ['-f', '-i', 'eth0', '-s', script, '-t', '10', '-T', '1', '-x', `hostname:${this.name}`];
    this.dhcp = new Service('udhcpc', this.net.in(this.name, 'udhcpc', ...options));
    const { dhcp } = this;
    this.cleanup.add(() => dhcp.stop());
  }

  /** From now on it sends nothing but answers to pings. */
  async silence(): Promise<void> {
    const rules = join(this.directory, `${this.name}-silence.nft`);
    await writeFile(rules, SILENCE);
    await this.net.ip(this.name, `neigh replace ${GATEWAY4} lladdr ${GATEWAY_MAC} nud permanent dev eth0`);
    await this.net.ip(this.name, `neigh replace ${GATEWAY_LL} lladdr ${GATEWAY_MAC} nud permanent dev eth0`);
    await this.net.exec(this.name, 'nft', '-f', rules);
  }

  /** The first global address of a family, once it may be used. */
  async address(family: 4 | 6): Promise<string> {
    return until(`${this.name}: an IPv${family} address`, 20, async () => {
      const text = await this.net.ip(this.name, `-${family} -o addr show dev eth0 scope global`);
      const line = text.split('\n').find((l) => l.includes('inet') && !l.includes('tentative'));
      return line === undefined ? undefined : /inet6? ([^/ ]+)/.exec(line)?.[1];
    });
  }

  async addresses(): Promise<string[]> {
    const text = await this.net.ip(this.name, '-o addr show dev eth0 scope global');
    return [...text.matchAll(/inet6? (\S+)/g)].map((match) => match[1]!).sort();
  }
}

/**
 * What a client in deep sleep sends: nothing but answers to pings. That is, its packets, ARP and raw DHCP frames too, are
 * dropped on their way out. As phones do, and Linux does not when a cable is unplugged, it remembers its gateway.
 */
const SILENCE = `table netdev silence {
	chain out {
		type filter hook egress device "eth0" priority 0; policy drop;
		icmp type echo-reply accept
		icmpv6 type echo-reply accept
		counter comment "unsent"
	}
}
`;

/** A ping that runs until it is stopped, every `interval` milliseconds. */
export class PingStream {
  readonly #service: Service;
  readonly #answers: { sequence: number; sent: number }[] = [];

  constructor(
    net: Topology,
    readonly from: string,
    readonly to: string,
    interval: number,
    cleanup: Cleanup,
  ) {
    const command = net.in(from, 'ping', '-D', '-n', '-i', String(interval / 1000), '-W', '1', to);
    this.#service = new Service('ping', command);
    this.#service.onLine = (line) => {
      const answer = readPingLine(line);
      if (answer !== undefined) this.#answers.push(answer);
    };
    cleanup.add(() => this.#service.stop('SIGKILL'));
  }

  get answers(): number {
    return this.#answers.length;
  }

  /** Whether anything sent since `time` came back. */
  answeredSince(time: number): boolean {
    return this.firstSince(time) !== undefined;
  }

  /** When the first question since `time` was sent that was answered. */
  firstSince(time: number): number | undefined {
    return this.#answers.find(({ sent }) => sent >= time)?.sent;
  }

  silences(from: number, to: number, shortest: number): { from: number; to: number }[] {
    return silencesBetween(this.#answers, from, to, shortest);
  }

  gap(from: number, to: number): Gap {
    return gapBetween(this.#answers, from, to);
  }

  stop(): Promise<void> {
    return this.#service.stop('SIGKILL');
  }
}
