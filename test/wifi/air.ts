/**
 * Real Wi-Fi: hostapd and wpa_supplicant on simulated radios (mac80211_hwsim), each in its host's network namespace.
 * All access points are on one channel and in reach of the client, which roams when it is told to.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Air } from '../bench/air.js';
import type { Site } from '../bench/systems.js';
import type { Client } from '../lab/client.js';
import { ip, run, Service, until } from '../lab/shell.js';

export type Security = 'open' | 'wpa2-psk' | '802.11r';

export const SECURITIES: readonly Security[] = ['wpa2-psk', 'open', '802.11r'];

const SSID = 'mesh';
const ROAM_TRIES = 5;
const PASSPHRASE = 'correct horse battery';

export const bssidOf = (n: number) => `02:00:00:00:02:0${n}`;

/** Lines of hostapd's configuration and of wpa_supplicant's network block. */
function securityLines(security: Security, n: number): { hostapd: string[]; network: string[] } {
  const psk = { hostapd: ['wpa=2', 'rsn_pairwise=CCMP', `wpa_passphrase=${PASSPHRASE}`], network: [`psk="${PASSPHRASE}"`] };
  switch (security) {
    case 'open':
      return { hostapd: [], network: ['key_mgmt=NONE'] };
    case 'wpa2-psk':
      return { hostapd: [...psk.hostapd, 'wpa_key_mgmt=WPA-PSK'], network: [...psk.network, 'key_mgmt=WPA-PSK'] };
    case '802.11r': {
      const fast = ['mobility_domain=4f57', `nas_identifier=r${n}`, 'ft_psk_generate_local=1', 'ft_over_ds=0'];
      return { hostapd: [...psk.hostapd, 'wpa_key_mgmt=FT-PSK', ...fast], network: [...psk.network, 'key_mgmt=FT-PSK'] };
    }
  }
}

export class Radios {
  #free: string[] = [];

  /** Makes so many radios. */
  static async make(count: number): Promise<Radios> {
    await run('modprobe', '-d', process.env['MODULES']!, 'mac80211_hwsim', `radios=${count}`);
    return Radios.again(count);
  }

  /** The radios that were made before, once all hosts that had them are gone. */
  static async again(count: number): Promise<Radios> {
    const radios = new Radios();
    radios.#free = await until('all radios are back', 30, async () => {
      const there = (await readdir('/sys/class/ieee80211')).sort();
      return there.length === count ? there : undefined;
    });
    // They come back with the names that they had there.
    for (const phy of radios.#free) await rename(phy, `free-${phy}`);
    return radios;
  }

  /** Gives a radio to a host. The interface gets the name and, if given, the MAC. */
  async give(namespace: string, name: string, mac?: string): Promise<void> {
    const phy = this.#free.shift()!;
    await rename(phy, name);
    if (mac !== undefined) await ip(`link set ${name} address ${mac}`);
    await run('iw', 'phy', phy, 'set', 'netns', 'name', namespace);
  }
}

async function rename(phy: string, name: string): Promise<void> {
  const [device] = await readdir(`/sys/class/ieee80211/${phy}/device/net`);
  await ip(`link set ${device} down`);
  await ip(`link set ${device} name ${name}`);
}

export class WifiAir implements Air {
  #site: Site | undefined;
  #programs: Service[] = [];
  #supplicant: Service | undefined;
  /** Kept running: where the machine is emulated, starting a program takes a good part of a roam. */
  #cli: Service | undefined;
  /** The access point that the client is connected to, undefined while it roams; '' when it refused to. */
  #connected: string | undefined;
  /** When the client was last told that it is connected, in milliseconds since 1970. */
  connectedAt = 0;

  constructor(
    private readonly radios: Radios,
    readonly security: Security,
  ) {}

  get name(): string {
    return `${this.security} on mac80211_hwsim`;
  }

  /** Radios too, where `first`; else those of an earlier air are used on. */
  async open(site: Site, first = true): Promise<void> {
    this.#site = site;
    const points = site.routers.slice(0, -1);
    if (first) {
      for (const [i, router] of points.entries()) await this.radios.give(site.net.ns(router), 'ap0', bssidOf(i + 1));
    }
    await Promise.all(points.map((router, i) => this.#accessPoint(router, i + 1)));
  }

  async #accessPoint(router: string, n: number): Promise<void> {
    const { directory, net } = this.#site!;
    const file = join(directory, `${router}-hostapd.conf`);
    const isBridged = await net.ip(router, 'link show br-client').then(() => true, () => false);
    const lines = [
      'interface=ap0', ...(isBridged ? ['bridge=br-client'] : []), 'driver=nl80211', `ctrl_interface=${directory}/${router}-hostapd`,
      `ssid=${SSID}`, 'hw_mode=g', 'channel=1', 'beacon_int=100',
      ...securityLines(this.security, n).hostapd,
    ];
    await writeFile(file, lines.join('\n') + '\n');
    const hostapd = this.#start(router, 'hostapd', file);
    await until(`${router}: hostapd is up`, 60, async () => {
      if (!hostapd.running) throw new Error(`${router}: hostapd ended:\n${hostapd.output}`);
      return hostapd.output.includes('AP-ENABLED');
    });
  }

  #start(host: string, ...command: string[]): Service {
    const { net, cleanup } = this.#site!;
    const service = new Service(command[0]!, net.in(host, ...command), 'pipe');
    cleanup.add(() => service.stop());
    this.#programs.push(service);
    return service;
  }

  async join(client: Client, router: string, first = true): Promise<void> {
    const { net, directory } = this.#site!;
    if (first) await this.radios.give(net.ns(client.name), 'eth0', client.mac);
    const file = join(directory, 'wpa_supplicant.conf');
    const network = [`ssid="${SSID}"`, 'scan_freq=2412', ...securityLines(this.security, 0).network];
    const lines = [`ctrl_interface=${this.#control}`, 'bss_expiration_age=100000', `network={\n${network.join('\n')}\n}`];
    await writeFile(file, lines.join('\n') + '\n');
    const supplicant = this.#start(client.name, 'wpa_supplicant', '-i', 'eth0', '-D', 'nl80211', '-c', file);
    this.#supplicant = supplicant;
    supplicant.onLine = (line) => {
      const bssid = /CTRL-EVENT-CONNECTED - Connection to (\S+)/.exec(line)?.[1];
      if (bssid === undefined) return;
      this.#connected = bssid;
      this.connectedAt = Date.now();
    };
    await until('the client connects', 60, async () => this.#connected);
    this.#cli = this.#start(client.name, 'wpa_cli', ...this.#cliOptions);
    this.#cli.onLine = (line) => {
      if (line === 'FAIL') this.#connected ??= '';
    };
    client.at = this.#at(this.#connected!);
    await this.#seeAll();
    if (client.at !== router) await this.roam(client, router);
  }

  /** A roam is only to an access point that the client has heard of. */
  async #seeAll(): Promise<void> {
    const points = this.#site!.routers.slice(0, -1);
    await until('the client hears all access points', 60, async () => {
      const results = await this.#wpaCli('scan_results');
      if (points.every((_, i) => results.includes(bssidOf(i + 1)))) return true;
      await this.#wpaCli('scan');
      await new Promise((resolve) => setTimeout(resolve, 500));
      return false;
    });
  }

  #at(bssid: string): string {
    return this.#site!.routers.find((_, i) => bssidOf(i + 1) === bssid)!;
  }

  /** Told again where it fails: on a slow machine an authentication may time out, and the client then goes where it likes. */
  async roam(client: Client, to: string): Promise<void> {
    const bssid = bssidOf(this.#site!.routers.indexOf(to) + 1);
    for (let tries = 0; this.#connected !== bssid; tries++) {
      if (tries === ROAM_TRIES) throw new Error(`the client does not go to ${to}:\n${this.#supplicant!.output.slice(-2000)}`);
      this.#connected = undefined;
      this.#cli!.child.stdin!.write(`roam ${bssid}\n`);
      await until('the client connects', 20, async () => {
        if (!this.#supplicant!.running) throw new Error(`wpa_supplicant ended:\n${this.#supplicant!.output.slice(-2000)}`);
        return this.#connected;
      });
    }
    client.at = to;
  }

  get #control(): string {
    return join(this.#site!.directory, 'wpa');
  }

  #wpaCli(...words: string[]): Promise<string> {
    return this.#site!.net.exec('client', 'wpa_cli', ...this.#cliOptions, ...words);
  }

  get #cliOptions(): string[] {
    return ['-p', this.#control, '-s', this.#site!.directory, '-i', 'eth0'];
  }

  /** Stations that the access point of a router has. */
  async stations(router: string): Promise<string[]> {
    const text = await this.#site!.net.exec(router, 'iw', 'dev', 'ap0', 'station', 'dump');
    return [...text.matchAll(/^Station (\S+)/gm)].map((match) => match[1]!);
  }

  /** Ends the access points and the client's connection; the radios stay where they are. */
  async close(): Promise<void> {
    for (const program of this.#programs.splice(0).reverse()) await program.stop();
  }
}
