/** From a parsed /etc/config/roaming to the configuration of the daemon, or to all that is wrong with it. */
import type { Package, Section } from 'uci-parser';
import type { Ip4, Ip6 } from '../net/ip.js';
import { ip4FromNumber, ip4ToNumber, isIp6, linkLocalOf } from '../net/ip.js';
import type { Prefix4, Prefix6 } from '../net/prefix.js';
import { broadcastOf, contains, covers, formatPrefix, isPrefix4, isPrefix6 } from '../net/prefix.js';
import type { Host } from './hosts.js';
import { checkHosts, readHosts } from './hosts.js';
import type { Options, Schema } from './schema.js';
import { schema, uciName } from './schema.js';
import type { Report } from './section.js';
import { readSection } from './section.js';
import type { RouteOption } from './types.js';

/** Something that the user has to fix: one line names file, section and option. */
export interface Problem {
  readonly file: string;
  readonly line: number | undefined;
  /** `main`, or `@roaming[0]`; undefined where the file as a whole is meant. */
  readonly section: string | undefined;
  readonly option: string | undefined;
  readonly message: string;
}

/** Options, checked and completed. */
export interface Config extends Options {
  readonly prefixes4: readonly Prefix4[];
  readonly prefixes6: readonly Prefix6[];
  /** Undefined where there is no IPv4 prefix. */
  readonly gateway4: Ip4 | undefined;
  readonly dns4: readonly Ip4[];
  readonly dns6: readonly Ip6[];
  /** `option gateway_link_local`, or what follows from the MAC (EUI-64). */
  readonly gatewayLinkLocal: Ip6;
  /** Sections `config host`. */
  readonly hosts: readonly Host[];
}

export type ReadResult =
  | { readonly config: Config; readonly problems: readonly [] }
  | { readonly config: undefined; readonly problems: readonly Problem[] };

/** `/etc/config/roaming:12: main.port: expected a whole number from 1 to 65535, found 'x'` */
export function formatProblem(problem: Problem): string {
  const { file, line, section, option, message } = problem;
  const place = line === undefined ? file : `${file}:${line}`;
  const what = section === undefined ? '' : `${option === undefined ? section : `${section}.${option}`}: `;
  return `${place}: ${what}${message}`;
}

export function readConfig(uci: Package, file: string): ReadResult {
  const reader = new ConfigReader(uci, file);
  const config = reader.read();
  return config === undefined || reader.problems.length > 0
    ? { config: undefined, problems: reader.problems }
    : { config, problems: [] };
}

const OPTIONS_BY_NAME = new Map(Object.keys(schema).map((key) => [uciName(key), key as keyof Schema]));

const SECTION_TYPES = ['roaming', 'host'];

class ConfigReader {
  readonly problems: Problem[] = [];
  readonly #report: Report = (section, option, message) => this.#problem(section, option, message);

  constructor(
    private readonly uci: Package,
    private readonly file: string,
  ) {}

  read(): Config | undefined {
    const main = this.#mainSection();
    const hosts = readHosts(this.uci.ofType('host'), this.#report);
    if (main === undefined) return undefined;
    const options = readSection(main, schema, this.#report);
    return options === undefined ? undefined : this.#complete(options, main, hosts);
  }

  #problem(section: Section | undefined, option: string | undefined, message: string): void {
    const line = option === undefined ? section?.line : (section?.options.get(option)?.line ?? section?.line);
    this.problems.push({ file: this.file, line, section: section && nameOf(section), option, message });
  }

  #mainSection(): Section | undefined {
    for (const section of this.uci.sections) {
      if (!SECTION_TYPES.includes(section.type)) this.#problem(section, undefined, `unknown section type '${section.type}'`);
    }
    const [main, second] = this.uci.sections.filter((section) => section.type === 'roaming');
    if (main === undefined) this.#problem(undefined, undefined, "there is no section: config roaming 'main' is needed");
    if (second !== undefined) this.#problem(second, undefined, 'a second section of type roaming: there can be only one');
    return main;
  }

  #complete(options: Options, main: Section, hosts: readonly [Section, Host][]): Config | undefined {
    const before = this.problems.length;
    const prefixes4 = options.prefix.filter(isPrefix4);
    const prefixes6 = options.prefix.filter(isPrefix6);
    this.#checkPrefixes(options, main);
    this.#checkPeers(options, main);
    const gateway4 = this.#gateway(options, prefixes4, main);
    checkHosts(hosts, { prefixes4, gateway4, exclude: options.exclude }, this.#report);
    this.#checkRoutes(options.route, prefixes4, main);
    if (this.problems.length > before) return undefined;
    const dns4 = options.dns.filter((ip) => !isIp6(ip)) as Ip4[];
    return {
      ...options,
      peer: options.peer.map(({ host, port }) => ({ host, port: port === 0 ? options.port : port })),
      prefixes4,
      prefixes6,
      gateway4,
      dns4: options.dns.length === 0 && gateway4 !== undefined ? [gateway4] : dns4,
      dns6: options.dns.filter(isIp6),
      gatewayLinkLocal: options.gatewayLinkLocal ?? linkLocalOf(options.gatewayMac),
      hosts: hosts.map(([, host]) => host),
    };
  }

  #checkRoutes(routes: readonly RouteOption[], prefixes4: readonly Prefix4[], main: Section): void {
    for (const { destination, via } of routes) {
      if (via !== undefined && !prefixes4.some((prefix) => contains(prefix, via))) {
        this.#problem(main, 'route', `${via} lies in none of the IPv4 prefixes: clients cannot reach it`);
      }
      if (destination.family === 4 && prefixes4.length === 0) {
        this.#problem(main, 'route', `${formatPrefix(destination)}: there is no IPv4 prefix, so clients have no IPv4`);
      }
    }
  }

  #checkPrefixes(options: Options, main: Section): void {
    if (options.interface.length > 0 && options.prefix.length === 0) {
      this.#problem(main, 'prefix', 'missing: clients on an interface need addresses');
    }
    options.prefix.forEach((prefix, i) => {
      const [min, max] = prefix.family === 4 ? [8, 29] : [options.ipv6Mode === 'host' ? 64 : 32, 64];
      if (prefix.length < min || prefix.length > max) {
        this.#problem(main, 'prefix', `${formatPrefix(prefix)}: its length has to be from /${min} to /${max}`);
      }
      const other = options.prefix.find((p, k) => k !== i && covers(p, prefix) && (k < i || p.length < prefix.length));
      if (other !== undefined) {
        this.#problem(main, 'prefix', `${formatPrefix(prefix)} lies in ${formatPrefix(other)}`);
      }
    });
  }

  #checkPeers(options: Options, main: Section): void {
    if (options.auth === 'psk' && options.key === undefined && options.peer.length > 0) {
      const fix = "set option key ('roaming keygen' makes one), or option auth 'none'";
      this.#problem(main, 'peer', `there is no key, so no peer can be trusted: ${fix}`);
    }
  }

  #gateway(options: Options, prefixes4: readonly Prefix4[], main: Section): Ip4 | undefined {
    const first = prefixes4[0];
    if (first === undefined) {
      if (options.gateway !== undefined) this.#problem(main, 'gateway', 'there is no IPv4 prefix that it could lie in');
      return undefined;
    }
    const gateway = options.gateway ?? ip4FromNumber(ip4ToNumber(first.address) + 1);
    const home = prefixes4.find((prefix) => contains(prefix, gateway));
    if (home === undefined) this.#problem(main, 'gateway', `${gateway} lies in none of the IPv4 prefixes`);
    else if (gateway === home.address || gateway === broadcastOf(home)) {
      this.#problem(main, 'gateway', `${gateway} is the network or broadcast address of ${formatPrefix(home)}`);
    }
    return gateway;
  }
}

function nameOf(section: Section): string {
  if (!section.anonymous) return section.name;
  return `@${section.type}[${section.package.ofType(section.type).indexOf(section)}]`;
}

/** Rows for README's option table: name, type, preset, help. */
export function optionTable(): { name: string; list: boolean; type: string; preset: string; help: string }[] {
  return [...OPTIONS_BY_NAME].map(([name, key]) => {
    const entry = schema[key];
    const preset = entry.kind === 'option' ? (entry.preset ?? '') : '';
    return { name, list: entry.kind === 'list', type: entry.type.label, preset, help: entry.help };
  });
}
