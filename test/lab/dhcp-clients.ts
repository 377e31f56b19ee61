/** DHCP clients that others wrote, on the lab's clients: each started, told to renew, and started anew with what it remembers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from './client.js';
import type { Lab } from './lab.js';
import { Service, until } from './shell.js';

/** What each needs on the machine. */
export const PROGRAMS = {
  udhcpc: ['udhcpc'],
  dhclient: ['dhclient'],
  dhcpcd: ['dhcpcd'],
  networkd: ['/lib/systemd/systemd-networkd', 'networkctl', 'dbus-daemon'],
};

export type Kind = keyof typeof PROGRAMS;

export function makeDhcpClient(kind: Kind, lab: Lab, host: Client): DhcpClient {
  const kinds = { udhcpc: Udhcpc, dhclient: Dhclient, dhcpcd: Dhcpcd, networkd: Networkd };
  return new kinds[kind](lab, host);
}

export interface DhcpClient {
  readonly host: Client;
  start(): Promise<void>;
  /** Has it extend its lease; by unicast to the server that it knows where it does that on demand. */
  renew(): Promise<void>;
  /** It ends without a word, its interface loses what it had, and it starts again: INIT-REBOOT where it knows that. */
  reboot(): Promise<void>;
}

abstract class Program implements DhcpClient {
  protected service: Service | undefined;

  constructor(
    protected readonly lab: Lab,
    readonly host: Client,
  ) {}

  /** The words that run it. */
  protected abstract prepare(): Promise<string[]>;
  abstract renew(): Promise<void>;

  async start(): Promise<void> {
    const { lab, host } = this;
    const service = new Service(host.name, lab.net.in(host.name, ...(await this.prepare())));
    this.service = service;
    lab.cleanup.add(() => service.stop('SIGKILL'));
  }

  async reboot(): Promise<void> {
    await this.service!.stop('SIGKILL');
    await this.lab.net.ip(this.host.name, '-4 addr flush dev eth0');
    await this.start();
  }

  /** Until it says so once more than before. */
  protected async again(pattern: RegExp, act: () => Promise<unknown>): Promise<void> {
    const count = () => this.service!.output.match(new RegExp(pattern, 'gm'))?.length ?? 0;
    const before = count();
    await act();
    await until(`${this.host.name} says ${pattern}`, 10, async () => count() > before).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.service!.output.slice(-1500)}`);
    });
  }
}

const IP_SCRIPT = `ip addr replace "$address/$mask" dev eth0
for gateway in $router; do ip route replace default via "$gateway" dev eth0 onlink; break; done
`;

/** busybox; it starts with what it had as a wish in its DISCOVER. */
export class Udhcpc extends Program {
  #address: string | undefined;

  protected async prepare(): Promise<string[]> {
    const script = join(this.lab.directory, this.host.name, 'udhcpc.sh');
    const body = `case "$1" in bound|renew) address=$ip; ${IP_SCRIPT} esac\necho "$1 $ip"\n`;
    await writeFile(script, `#!/bin/sh\n${body}`, { mode: 0o755 });
    const wish = this.#address === undefined ? [] : ['-r', this.#address];
    return ['udhcpc', '-f', '-i', 'eth0', '-s', script, '-t', '10', '-T', '1', ...wish];
  }

  renew(): Promise<void> {
    return this.again(/^renew /, async () => this.service!.child.kill('SIGUSR1'));
  }

  override async reboot(): Promise<void> {
    this.#address = await this.host.address(4);
    await super.reboot();
  }
}

/** ISC's, as Debian has it. */
export class Dhclient extends Program {
  protected async prepare(): Promise<string[]> {
    const directory = join(this.lab.directory, this.host.name);
    const script = join(directory, 'dhclient.sh');
    const body = `case "$reason" in BOUND|RENEW|REBIND|REBOOT)
address=$new_ip_address mask=$new_subnet_mask router=$new_routers
${IP_SCRIPT} esac
echo "$reason $new_ip_address"
`;
    await writeFile(script, `#!/bin/sh\n${body}`, { mode: 0o755 });
    // Of its own accord it waits up to 22 s between two requests, and may find no time for one between T2 and the end of a
    // lease of two minutes.
    await writeFile(join(directory, 'dhclient.conf'), 'request subnet-mask, routers, domain-name-servers;\nbackoff-cutoff 4;\n');
    const files = ['-cf', join(directory, 'dhclient.conf'), '-lf', join(directory, 'dhclient.leases'), '-pf', join(directory, 'dhclient.pid')];
    return ['dhclient', '-4', '-d', '-v', ...files, '-sf', script, 'eth0'];
  }

  /** It does so on no demand; but started with a lease that is still good it asks whether it still has it (INIT-REBOOT). */
  async renew(): Promise<void> {
    await this.service!.stop('SIGKILL');
    await this.start();
    await until(`${this.host.name} has its lease again`, 10, async () => this.service!.output.includes('DHCPACK'));
  }
}

/** R. Marples's. It keeps its leases in one place, so that place is its own. */
export class Dhcpcd extends Program {
  #leases = '';

  protected async prepare(): Promise<string[]> {
    this.#leases = join(this.lab.directory, this.host.name, 'leases');
    const own = `mkdir -p ${this.#leases} && chown dhcpcd ${this.#leases} && mount --bind ${this.#leases} /var/lib/dhcpcd && mount -t tmpfs none /run`;
    const config = join(this.lab.directory, this.host.name, 'dhcpcd.conf');
    await writeFile(config, 'persistent\noption domain_name_servers, interface_mtu, classless_static_routes, ntp_servers\n');
    return ['unshare', '--mount', 'sh', '-c', `${own} && exec "$@"`, 'sh', 'dhcpcd', '-4', '-B', '-d', '-f', config, 'eth0'];
  }

  renew(): Promise<void> {
    return this.again(/acknowledged|leased .* for/, () => this.#tell('-N'));
  }

  /** By broadcast, to any server. */
  rebind(): Promise<void> {
    return this.again(/acknowledged|leased .* for/, () => this.#tell('-n'));
  }

  async #tell(option: string): Promise<void> {
    const pids = (await this.lab.net.ip(this.host.name, `netns pids ${this.lab.net.ns(this.host.name)}`)).split('\n');
    const pid = pids.find((one) => one !== '')!;
    await this.lab.net.exec(this.host.name, 'nsenter', '-t', pid, '--mount', 'dhcpcd', '-4', option, 'eth0');
  }
}

/** As on Wi-Fi it stays as it is while it roams; its identifier is that of RFC 4361. */
const NETWORK = `[Match]
Name=eth0

[Network]
DHCP=ipv4
IPv6AcceptRA=yes
IgnoreCarrierLoss=10s

[DHCPv4]
ClientIdentifier=duid
DUIDType=link-layer

[IPv6AcceptRA]
DHCPv6Client=no
`;

/** The least that lets its commands reach it. An abstract address is its network namespace's own. */
const BUS = 'unix:abstract=roaming-lab';
const BUS_CONFIG = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>${BUS}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`;

const BUS_ADDRESS = `DBUS_SYSTEM_BUS_ADDRESS=${BUS}`;

/**
 * systemd's, which does stateless address autoconfiguration itself as well. It has a bus and a /run of its own; /sys is
 * read-only to it as in a container, so that it does not wait for udev.
 */
export class Networkd extends Program {
  #bus: Service | undefined;

  protected async prepare(): Promise<string[]> {
    await this.#startBus();
    const directory = join(this.lab.directory, this.host.name);
    await writeFile(join(directory, 'eth0.network'), NETWORK);
    const own = [
      'mount -o remount,ro /sys',
      'mount -t tmpfs -o mode=755 none /run',
      'mkdir -p /run/systemd/network',
      `cp ${directory}/eth0.network /run/systemd/network`,
    ].join(' && ');
    const environment = ['env', 'SYSTEMD_LOG_TARGET=console', 'SYSTEMD_LOG_LEVEL=debug', BUS_ADDRESS];
    return ['unshare', '--mount', 'sh', '-c', `${own} && exec "$@"`, 'sh', ...environment, '/lib/systemd/systemd-networkd'];
  }

  async #startBus(): Promise<void> {
    if (this.#bus !== undefined) return;
    const directory = join(this.lab.directory, this.host.name);
    await writeFile(join(directory, 'bus.conf'), BUS_CONFIG);
    const words = ['dbus-daemon', `--config-file=${directory}/bus.conf`, '--nofork', '--nopidfile', '--print-address'];
    this.#bus = this.lab.service(this.host.name, ...words);
    await until('the bus is there', 10, async () => this.#bus!.output.includes(BUS));
  }

  renew(): Promise<void> {
    return this.again(/DHCPv4 client: ACK$/, () =>
      this.lab.net.exec(this.host.name, 'env', BUS_ADDRESS, 'networkctl', 'renew', 'eth0'),
    );
  }
}
