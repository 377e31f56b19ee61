import { BadInput } from '../net/bytes.js';
import type { Ip6 } from '../net/ip.js';
import { writeNdOptions } from '../net/nd-options.js';
import type { Prefix6 } from '../net/prefix.js';
import { MAX_PREFIXES, settingsOptions } from './advertisement.js';

/** What router advertisements say beside a client's prefixes. Lifetimes are in seconds. */
export interface RaConfig {
  /** `prefix`: each client has /64s of its own (RFC 8273). `host`: all share `sharedPrefixes`. */
  readonly mode: 'prefix' | 'host';
  readonly sharedPrefixes: readonly Prefix6[];
  /** 1 to 65535; also the lifetime of all options that are not prefixes. */
  readonly routerLifetime: number;
  /** The longest that a prefix is promised, whatever its record says. */
  readonly validLifetime: number;
  /** The longest that a prefix is preferred. */
  readonly preferredLifetime: number;
  readonly dns: readonly Ip6[];
  readonly search: readonly string[];
  readonly mtu?: number;
  readonly pref64?: Prefix6;
  /** URI of the captive portal's API (RFC 8910). */
  readonly captivePortal?: string;
  /** More specific routes through this router (RFC 4191). */
  readonly routes: readonly Prefix6[];
}

/**
 * RFC 7772 section 4 has router lifetimes of 45 to 90 minutes, so that a phone may sleep; a preferred lifetime as long
 * as that, and a valid one twice as long, follow RFC 9096 3.4.
 */
export const DEFAULT_RA_CONFIG: RaConfig = {
  mode: 'prefix',
  sharedPrefixes: [],
  routerLifetime: 5400,
  validLifetime: 10_800,
  preferredLifetime: 5400,
  dns: [],
  search: [],
  routes: [],
};

/** The IPv6 packet must pass any link unfragmented (RFC 8200 section 5); 56 bytes are headers, 8 the router's MAC. */
export const MAX_SETTINGS_BYTES = 1280 - 56 - 8 - 32 * MAX_PREFIXES;

/** Throws {@link BadInput} with a sentence for the user where advertisements cannot say this. */
export function checkRaConfig(config: RaConfig): void {
  const { routerLifetime, preferredLifetime, validLifetime, mtu } = config;
  if (!(routerLifetime >= 1 && routerLifetime <= 65535)) {
    throw new BadInput(`router lifetime ${routerLifetime} s: 1 to 65535 is possible, and 0 would withdraw the router`);
  }
  if (!(preferredLifetime >= 1 && preferredLifetime <= validLifetime && validLifetime < 0xffffffff)) {
    throw new BadInput(`preferred lifetime ${preferredLifetime} s is not from 1 to the valid lifetime, ${validLifetime} s`);
  }
  if (mtu !== undefined && !(mtu >= 1280 && mtu <= 65535)) throw new BadInput(`MTU ${mtu}: IPv6 has 1280 to 65535`);
  if (config.mode === 'host' && config.sharedPrefixes.length === 0) throw new BadInput('no shared prefix to advertise');
  const wrong = config.sharedPrefixes.find((prefix) => prefix.length !== 64);
  if (wrong !== undefined) throw new BadInput(`a shared prefix has 64 bits, not ${wrong.length}: hosts need that`);
  if (config.sharedPrefixes.length > MAX_PREFIXES) throw new BadInput(`more than ${MAX_PREFIXES} shared prefixes`);
  const length = writeNdOptions(settingsOptions(config)).length;
  if (length > MAX_SETTINGS_BYTES) {
    throw new BadInput(`DNS servers, search list, routes and captive portal take ${length} bytes of at most ${MAX_SETTINGS_BYTES}`);
  }
}
