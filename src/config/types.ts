/**
 * Types of option values: each reads the text of a UCI option and throws BadInput with a sentence that says what would
 * be right. The sentence completes "expected ...".
 */
import { BadInput } from '../net/bytes.js';
import type { Ip, Ip4, Ip6 } from '../net/ip.js';
import { ANY4, ANY6, isLinkLocal6, isMulticast, readIp, parseIp4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { isStationMac, parseMac } from '../net/mac.js';
import type { Prefix, Prefix4, Prefix6 } from '../net/prefix.js';
import { isPrefix4, isPrefix6, parsePrefix } from '../net/prefix.js';
import type { Endpoint } from '../ports.js';

export interface ValueType<T> {
  /** For the option table: `integer 1-65535`. */
  readonly label: string;
  read(text: string): T;
}

const TRUE = ['1', 'on', 'true', 'yes', 'enabled'];
const FALSE = ['0', 'off', 'false', 'no', 'disabled'];

/** The five words that OpenWrt's own scripts read (config_get_bool). */
export const boolean: ValueType<boolean> = {
  label: 'boolean',
  read(text) {
    if (TRUE.includes(text)) return true;
    if (FALSE.includes(text)) return false;
    throw new BadInput('0 or 1');
  },
};

export function integer(min: number, max: number): ValueType<number> {
  return {
    label: `integer ${min}-${max}`,
    read(text) {
      const value = Number(text);
      if (!/^\d{1,15}$/.test(text) || value < min || value > max) {
        throw new BadInput(`a whole number from ${min} to ${max}`);
      }
      return value;
    },
  };
}

/** A kernel's routing table of which, and of the next one, the kernel itself makes no use (RT_TABLE_DEFAULT to _LOCAL). */
export const routingTable: ValueType<number> = {
  label: 'routing table',
  read(text) {
    const value = Number(text);
    if (!/^\d{1,10}$/.test(text) || value < 1 || value > 4294967294 || (value >= 252 && value <= 255)) {
      throw new BadInput("a number from 1 to 4294967294, but not 252 to 255 (the kernel's own, and the one before)");
    }
    return value;
  },
};

const UNITS: { [unit: string]: number } = { '': 1, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Seconds; a number, or one with a unit as dnsmasq knows them: `90`, `30m`, `12h`. Bounds in seconds. */
export function duration(min: number, max: number): ValueType<number> {
  return {
    label: `duration ${formatDuration(min)}-${formatDuration(max)}`,
    read(text) {
      const match = /^(\d{1,9})([smhdw]?)$/.exec(text);
      const seconds = match === null ? NaN : Number(match[1]) * UNITS[match[2]!]!;
      if (!(seconds >= min && seconds <= max)) {
        throw new BadInput(`a time from ${formatDuration(min)} to ${formatDuration(max)}, such as 90, 30m or 12h`);
      }
      return seconds;
    },
  };
}

/** The shortest exact form: 5400 is `90m`. */
function formatDuration(seconds: number): string {
  const unit = ['w', 'd', 'h', 'm'].find((u) => seconds > 0 && seconds % UNITS[u]! === 0) ?? 's';
  return `${seconds / UNITS[unit]!}${unit}`;
}

export function oneOf<const T extends string>(...words: readonly T[]): ValueType<T> {
  return {
    label: words.join(' or '),
    read(text) {
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw new BadInput(words.map((w) => `'${w}'`).join(' or '));
      return word;
    },
  };
}

/** A Linux interface name: 1 to 15 bytes, no blank, slash or colon (dev_valid_name in the kernel). */
export const interfaceName: ValueType<string> = {
  label: 'interface',
  read(text) {
    if (!/^[!-~]{1,15}$/.test(text) || /[/:]/.test(text) || text === '.' || text === '..') {
      throw new BadInput('the name of a network interface, such as br-client');
    }
    return text;
  },
};

export const prefix: ValueType<Prefix> = {
  label: 'prefix',
  read(text) {
    try {
      return parsePrefix(text);
    } catch (error) {
      throw new BadInput(`a prefix such as 10.44.0.0/16 or fd44::/48 (${(error as Error).message})`);
    }
  },
};

export const prefix4: ValueType<Prefix4> = {
  label: 'IPv4 prefix',
  read(text) {
    try {
      const parsed = parsePrefix(text);
      if (isPrefix4(parsed)) return parsed;
    } catch {
      // Said below.
    }
    throw new BadInput('an IPv4 prefix such as 192.0.2.0/24');
  },
};

/** Dnsmasq takes 0.0.0.0 for itself; clients would be told it as it is. */
function isHost(ip: Ip): boolean {
  return !isMulticast(ip) && ip !== ANY4 && ip !== ANY6;
}

export const unicastAddress: ValueType<Ip> = {
  label: 'IP address',
  read(text) {
    const ip = readIp(text);
    if (ip !== undefined && isHost(ip)) return ip;
    throw new BadInput('the IPv4 or IPv6 address of one host');
  },
};

export const address4: ValueType<Ip4> = {
  label: 'IPv4 address',
  read(text) {
    try {
      const ip = parseIp4(text);
      if (isHost(ip)) return ip;
    } catch {
      // Said below.
    }
    throw new BadInput('the IPv4 address of one host');
  },
};

/** `host`, `host:port`, `2001:db8::1` or `[2001:db8::1]:port`; port 0 stands for the default. Addresses are made canonical. */
export const endpoint: ValueType<Endpoint> = {
  label: 'host[:port]',
  read(text) {
    const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
    const plain = /^([^:\s]+)(?::(\d{1,5}))?$/.exec(text);
    const bare = text.split(':').length > 2 ? [text, text, undefined] : null;
    const match = bracketed ?? plain ?? bare;
    const port = Number(match?.[2] ?? 0);
    const host = match?.[1] ?? '';
    if (host === '' || port > 65535 || (host.includes(':') && readIp(host.replace(/%.*$/, '')) === undefined)) {
      throw new BadInput('a host name or address, with :port if need be, such as 10.0.0.1:4444 or [fd00::1]:4444');
    }
    return { host: readIp(host) ?? host, port };
  },
};

export function text(min: number, max: number, label = 'text'): ValueType<string> {
  return {
    label,
    read(value) {
      if (value.length < min || value.length > max || /[\x00-\x1f\x7f]/.test(value)) {
        throw new BadInput(`${min} to ${max} printable characters`);
      }
      return value;
    },
  };
}

/** A DNS name: labels of 1 to 63 letters, digits and hyphens. */
export const domainName: ValueType<string> = {
  label: 'domain',
  read(value) {
    const labels = value.replace(/\.$/, '').split('.');
    if (value.length > 253 || !labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label))) {
      throw new BadInput('a domain name such as mesh.example.org');
    }
    return labels.join('.').toLowerCase();
  },
};

/** The address of one device: neither a group's nor all zero. */
export const stationMac: ValueType<Mac> = {
  label: 'MAC address',
  read(value) {
    try {
      const mac = parseMac(value);
      if (isStationMac(mac)) return mac;
    } catch {
      // Said below.
    }
    throw new BadInput('the MAC address of a device, such as 02:00:5e:00:53:01');
  },
};

export const linkLocalAddress: ValueType<Ip6> = {
  label: 'link-local address',
  read(value) {
    const ip = readIp(value);
    if (ip !== undefined && isLinkLocal6(ip)) return ip as Ip6;
    throw new BadInput('an IPv6 link-local address, such as fe80::1');
  },
};

/** A destination, and the IPv4 router for it where that is not the gateway. */
export interface RouteOption {
  readonly destination: Prefix;
  readonly via: Ip4 | undefined;
}

/** `10.0.0.0/8`, `10.0.0.0/8,10.44.0.2`, `2001:db8::/32`: with a comma, as dnsmasq has it. */
export const route: ValueType<RouteOption> = {
  label: 'prefix[,router]',
  read(value) {
    const [destination = '', via, ...rest] = value.split(',');
    try {
      const parsed = parsePrefix(destination);
      if (rest.length > 0 || (via !== undefined && !isPrefix4(parsed))) throw new BadInput('too much');
      return { destination: parsed, via: via === undefined ? undefined : parseIp4(via) };
    } catch {
      throw new BadInput('a destination such as 10.0.0.0/8 or 2001:db8::/32, for IPv4 with ,router if it is not the gateway');
    }
  },
};

/** Prefix lengths that a translator can have (RFC 6052 2.2). */
const NAT64_LENGTHS = [32, 40, 48, 56, 64, 96];

export const nat64Prefix: ValueType<Prefix6> = {
  label: 'IPv6 prefix',
  read(value) {
    try {
      const parsed = parsePrefix(value);
      if (isPrefix6(parsed) && NAT64_LENGTHS.includes(parsed.length)) return parsed;
    } catch {
      // Said below.
    }
    throw new BadInput('an IPv6 prefix such as 64:ff9b::/96, of 32, 40, 48, 56, 64 or 96 bits');
  },
};

/** RFC 8908 4.1: the API is had by https; RFC 8910 2 has one other URI, which says that there is no portal. */
export const captivePortalUri: ValueType<string> = {
  label: 'https URI',
  read(value) {
    const isApi = /^https:\/\/[!-~]+$/.test(value) && value.length <= 255;
    if (isApi || value === 'urn:ietf:params:capport:unrestricted') return value;
    throw new BadInput('a URI of at most 255 characters that begins with https://');
  },
};

/** A node id, without the meaning that the rest of the program gives it. */
export const nodeId: ValueType<string> = {
  label: 'node id',
  read(value) {
    if (!/^[0-9a-fA-F]{16}$/.test(value)) throw new BadInput('16 hexadecimal digits');
    return value.toLowerCase();
  },
};
