/** Another configuration by a reload, and by a start: clients are told the same from then on. */
import t from 'tap';
import fc from 'fast-check';
import { ClientServices } from '../src/client-services.js';
import { Database } from '../src/clients/database.js';
import type { Instant } from '../src/clients/time.js';
import { after, HOUR, MINUTE } from '../src/clients/time.js';
import { gatewayWanted } from '../src/client-gateway.js';
import type { Config } from '../src/config/config.js';
import { needsRestart } from '../src/config/restart.js';
import { MessageType, parseDhcp4, writeDhcp4 } from '../src/dhcp4/message.js';
import { OptionCode } from '../src/dhcp4/options.js';
import { arpFrame, ArpOperation, UNKNOWN_MAC } from '../src/net/arp.js';
import { BadInput, toHex } from '../src/net/bytes.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../src/net/frame4.js';
import type { Ip4, Ip6 } from '../src/net/ip.js';
import { ANY4, BROADCAST4, linkLocalOf } from '../src/net/ip.js';
import type { Mac } from '../src/net/mac.js';
import { BROADCAST_MAC } from '../src/net/mac.js';
import { ndFrame } from '../src/net/nd.js';
import { serviceProblem } from '../src/service-config.js';
import type { Fields } from './dhcp4/helpers.js';
import { client, message } from './dhcp4/helpers.js';
import { configOf } from './support.js';

const NETWORK = 'br-client';
const START = (5 * HOUR) as Instant;

class Scene {
  now = START;
  readonly sent: string[] = [];
  readonly #services: ClientServices;
  readonly #present = new Set<Mac>();

  constructor(
    config: Config,
    readonly db = new Database(),
  ) {
    this.#services = new ClientServices({
      config,
      db: this.db,
      random: { bytes: (n) => new Uint8Array(n), below: () => 0 },
      gateway: gatewayWanted(config).gateway,
      own: [],
      station: (mac) => (this.#present.has(mac) ? ({ mac, network: NETWORK, via: 'wlan0', ssid: 'mesh' } as never) : undefined),
      heard: () => {},
      stray: (address) => void this.sent.push(`stray ${address}`),
      apply: (record) => void this.db.apply(record, this.now, true),
      send: (_, frame) => void this.sent.push(toHex(frame)),
      usurped: () => {},
      rivalled: () => {},
      exhausted: (family) => void this.sent.push(`exhausted ${family}`),
    });
  }

  reload(config: Config): void {
    this.#services.configure(config, gatewayWanted(config).gateway, [], () => [], this.now);
  }

  wait(time: number): void {
    const end = after(this.now, time);
    for (let at = this.#next; at !== undefined && at <= end; at = this.#next) {
      this.now = Math.max(this.now, at) as Instant;
      this.db.expire(this.now);
      this.#services.poll(this.now);
    }
    this.now = end;
  }

  get #next(): Instant | undefined {
    const [a, b] = [this.db.nextDeadline, this.#services.nextDeadline];
    return a === undefined || (b !== undefined && b < a) ? b : a;
  }

  #dhcp(type: keyof typeof MessageType, fields: Fields): Ip4 | undefined {
    const request = message(type, fields);
    const addresses = { sourceMac: request.chaddr, destinationMac: BROADCAST_MAC, source: request.ciaddr, destination: BROADCAST4 };
    const from = this.sent.length;
    this.#services.receive(NETWORK, writeUdpFrame4({ ...addresses, sourcePort: 68, destinationPort: 67, payload: writeDhcp4(request) }), this.now);
    const [reply] = this.sent.slice(from).filter((frame) => frame.slice(24, 28) === '0800');
    return reply === undefined ? undefined : parseDhcp4(parseUdpFrame4(Uint8Array.from(Buffer.from(reply, 'hex'))).payload).yiaddr;
  }

  /** What a newcomer does, with what it is told in `sent`. */
  newcomer(mac: Mac): void {
    this.#present.add(mac);
    this.#services.provide(mac, this.now);
    this.#services.arrived(mac, NETWORK, this.now);
    const ask = [OptionCode.router, ...Object.values(OptionCode).filter((code) => code > OptionCode.domainNameServer && code < OptionCode.end)];
    const yiaddr = this.#dhcp('discover', { mac, ask });
    if (yiaddr !== undefined) this.#dhcp('request', { mac, requested: yiaddr, ask });
    for (const targetIp of ['10.44.0.9', '10.44.0.200', '10.45.1.1'] as Ip4[]) {
      const request = { operation: ArpOperation.request, senderMac: mac, senderIp: yiaddr ?? ANY4, targetMac: UNKNOWN_MAC, targetIp };
      this.#services.receive(NETWORK, arpFrame(BROADCAST_MAC, request), this.now);
    }
    const solicitation = { source: linkLocalOf(mac), destination: 'ff02::2' as Ip6, message: { type: 'rs', options: [] } } as const;
    this.#services.receive(NETWORK, ndFrame('33:33:00:00:00:02' as Mac, mac, solicitation), this.now);
    this.wait(2 * MINUTE);
    this.#services.left(mac);
    this.#present.delete(mac);
  }
}

const some = (...lines: string[]) => fc.option(fc.constantFrom(...lines), { nil: undefined });

const configs: fc.Arbitrary<Config> = fc
  .tuple(
    fc.constantFrom("list prefix '10.44.0.0/24'", "list prefix '10.44.0.0/28'", "list prefix '10.45.0.0/16'", "option prefix '10.44.0.0/24 10.45.0.0/24'", "list search 'only6.example'"),
    fc.constantFrom("list prefix '2001:db8:44::/48'", "list prefix '2001:db8:55::/62'", "list search 'only4.example'"),
    some("option gateway '10.44.0.5'", "option gateway_mac '02:00:5e:00:52:13'", "option gateway_link_local 'fe80::1'"),
    some("option dns '10.44.0.2 2001:db8::53'", "list dns '2001:db8::54'"),
    some("option domain 'mesh.example'", "option ntp '192.0.2.1'"),
    some("option mtu '1400'", "option netmask 'host'", "option rapid_commit '0'"),
    some("option captive_portal 'https://portal.example/api'", "option ipv6_only_wait '30m'", "option pref64 '64:ff9b::/96'"),
    some("option lease_time '2m'", "option lease_time '1w'", "option router_lifetime '10m'"),
    some("option exclude '10.44.0.9'", "list route '2001:db8:99::/48'", "list route '10.0.0.0/8'"),
    some("option discover_rate '1'", "option new_lease_rate '1'", "option max_addresses '1'", "option seek '0'"),
    some(`config host\noption mac '${client(3)}'\noption ip '10.44.0.6'\noption name 'printer'`),
  )
  .map((lines) => {
    try {
      return configOf(`list interface '${NETWORK}'`, ...lines.filter((line) => line !== undefined));
    } catch {
      return undefined;
    }
  })
  .filter((config): config is Config => config !== undefined && config.prefix.length > 0 && serviceProblem(config) === undefined);

t.test('what newcomers are told after a reload is what they are told after a start', async (t) => {
  const pairs = fc.property(configs, configs, fc.constantFrom(2 * HOUR, 14 * 24 * HOUR), (before, now, wait) => {
    if (needsRestart(before, now)) throw new BadInput('an option that needs a restart');
    const [reloaded, ended] = [new Scene(before), new Scene(before)];
    for (const scene of [reloaded, ended]) for (const n of [1, 9]) scene.newcomer(client(n));
    reloaded.reload(now);
    const started = new Scene(now, ended.db);
    started.now = ended.now;
    for (const scene of [reloaded, started]) {
      scene.wait(wait);
      scene.sent.length = 0;
      for (const n of [2, 3, 4]) scene.newcomer(client(n));
    }
    return JSON.stringify(reloaded.sent) === JSON.stringify(started.sent);
  });
  t.doesNotThrow(() => fc.assert(pairs, { numRuns: 100 }));
});
