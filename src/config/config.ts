/** From a parsed /etc/config/roaming to the configuration of the daemon, or to all that is wrong with it. */
import type { Package, Section, Value } from 'uci-parser';
import type { Ip4, Ip6 } from '../net/ip.js';
import { ip4FromNumber, ip4ToNumber, isIp6 } from '../net/ip.js';
import type { Prefix4, Prefix6 } from '../net/prefix.js';
import { broadcastOf, contains, covers, formatPrefix, isPrefix4, isPrefix6 } from '../net/prefix.js';
import type { Options, Schema } from './schema.js';
import { schema, uciName } from './schema.js';

/** Something that the user has to mend: one line names file, section and option. */
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

class ConfigReader {
  readonly problems: Problem[] = [];

  constructor(
    private readonly uci: Package,
    private readonly file: string,
  ) {}

  read(): Config | undefined {
    const main = this.#mainSection();
    if (main === undefined) return undefined;
    this.#reportUnknownOptions(main);
    const options = this.#readOptions(main);
    return options === undefined ? undefined : this.#complete(options, main);
  }

  #problem(section: Section | undefined, option: string | undefined, message: string): void {
    const line = option === undefined ? section?.line : (section?.options.get(option)?.line ?? section?.line);
    this.problems.push({ file: this.file, line, section: section && nameOf(section), option, message });
  }

  #mainSection(): Section | undefined {
    for (const section of this.uci.sections) {
      if (section.type !== 'roaming') this.#problem(section, undefined, `unknown section type '${section.type}'`);
    }
    const [main, second] = this.uci.sections.filter((section) => section.type === 'roaming');
    if (main === undefined) this.#problem(undefined, undefined, "there is no section: config roaming 'main' is needed");
    if (second !== undefined) this.#problem(second, undefined, 'a second section of type roaming: there can be only one');
    return main;
  }

  #reportUnknownOptions(main: Section): void {
    for (const { name } of main.options) {
      if (OPTIONS_BY_NAME.has(name)) continue;
      const near = nearest(name, [...OPTIONS_BY_NAME.keys()]);
      this.#problem(main, name, `unknown option${near === undefined ? '' : `; ${near} is meant?`}`);
    }
  }

  /** Undefined where a value is wrong: each is reported, not only the first. */
  #readOptions(main: Section): Options | undefined {
    const values: { [key: string]: unknown } = {};
    const before = this.problems.length;
    for (const [name, key] of OPTIONS_BY_NAME) {
      const entry = schema[key];
      const found = main.get(name);
      if (entry.kind === 'list') values[key] = itemsOf(found).map((item) => this.#readValue(main, name, key, item));
      else values[key] = this.#readSingle(main, name, key, found ?? entry.preset);
    }
    return this.problems.length > before ? undefined : (values as unknown as Options);
  }

  #readSingle(main: Section, name: string, key: keyof Schema, found: Value | undefined): unknown {
    if (found === undefined) return undefined;
    if (typeof found === 'string') return this.#readValue(main, name, key, found);
    this.#problem(main, name, 'a list, where a single option is expected');
    return undefined;
  }

  #readValue(main: Section, name: string, key: keyof Schema, text: string): unknown {
    try {
      return schema[key].type.read(text);
    } catch (error) {
      const found = key === 'key' ? '' : `, found '${text}'`;
      this.#problem(main, name, `expected ${(error as Error).message}${found}`);
      return undefined;
    }
  }

  #complete(options: Options, main: Section): Config | undefined {
    const before = this.problems.length;
    const prefixes4 = options.prefix.filter(isPrefix4);
    const prefixes6 = options.prefix.filter(isPrefix6);
    this.#checkPrefixes(options, main);
    this.#checkPeers(options, main);
    const gateway4 = this.#gateway(options, prefixes4, main);
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
    };
  }

  #checkPrefixes(options: Options, main: Section): void {
    if (options.interface.length > 0 && options.prefix.length === 0) {
      this.#problem(main, 'prefix', 'missing: clients on an interface need addresses');
    }
    options.prefix.forEach((prefix, i) => {
      const [min, max] = prefix.family === 4 ? [8, 29] : [32, 64];
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
      const mend = "set option key ('roaming keygen' makes one), or option auth 'none'";
      this.#problem(main, 'peer', `there is no key, so no peer can be trusted: ${mend}`);
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

/** A list, or an option that holds several items with blanks between. */
function itemsOf(found: Value | undefined): readonly string[] {
  if (found === undefined) return [];
  return typeof found === 'string' ? found.split(/[ \t]+/).filter((item) => item !== '') : found;
}

/** The known word that a mistyped one most likely stands for: at most two edits away. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((k) => [editDistance(word, k), k] as const).sort((a, b) => a[0] - b[0]);
  return ranked[0] !== undefined && ranked[0][0] <= 2 ? ranked[0][1] : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      next.push(Math.min(row[k]! + 1, next[k - 1]! + 1, row[k - 1]! + (a[i - 1] === b[k - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Rows for README's option table: name, type, preset, help. */
export function optionTable(): { name: string; list: boolean; type: string; preset: string; help: string }[] {
  return [...OPTIONS_BY_NAME].map(([name, key]) => {
    const entry = schema[key];
    const preset = entry.kind === 'option' ? (entry.preset ?? '') : '';
    return { name, list: entry.kind === 'list', type: entry.type.label, preset, help: entry.help };
  });
}
