/** babeld: its version, and a router id that no other router has. */
import type { Mac } from '../../net/mac.js';
import { macToBytes } from '../../net/mac.js';
import type { PackageManager } from '../packages.js';
import { upgradeCommand } from '../packages.js';
import type { Finding } from './finding.js';

/** The first version in which a roam is not forgotten for a minute. */
const GOOD_VERSION = [1, 12, 2] as const;

export interface BabelFacts {
  /** What `babeld -V` says; undefined: there is none. */
  readonly version: string | undefined;
  /** Its router id in use, 8 bytes in hexadecimal with colons; undefined: not known. */
  readonly routerId: string | undefined;
  /** The id that is set in its configuration. */
  readonly configuredId: string | undefined;
  /** Whether it runs on this router. */
  readonly running: boolean;
}

/** `mac`: that of the client interfaces, which all routers share; undefined where there are none. */
export function checkBabel(facts: BabelFacts, mac: Mac | undefined, manager: PackageManager): Finding[] {
  const { version, routerId, configuredId, running } = facts;
  if (version === undefined) return [];
  return [
    checkVersion(version, manager),
    ...(running ? [] : [NOT_RUNNING]),
    ...(mac === undefined ? [] : checkId(routerId, configuredId, mac)),
  ];
}

const NOT_RUNNING: Finding = {
  level: 'warning',
  message: 'babeld does not run: unless something else does its work, routers that are no neighbours are not reached',
  fix: ['service babeld enable && service babeld start'],
};

function checkVersion(text: string, manager: PackageManager): Finding {
  const numbers = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)?.slice(1).map((part) => Number(part ?? 0));
  if (numbers === undefined) return { level: 'unknown', message: `babeld: cannot read its version: ${text}` };
  const version = numbers.join('.');
  const different = GOOD_VERSION.findIndex((part, i) => part !== numbers[i]);
  if (different >= 0 && numbers[different]! < GOOD_VERSION[different]!) {
    return {
      level: 'warning',
      message: `babeld ${version} can keep a wrong route for over a minute; ${GOOD_VERSION.join('.')} and later do not`,
      fix: [upgradeCommand(manager, 'babeld')],
    };
  }
  return { level: 'good', message: `babeld ${version}` };
}

function checkId(routerId: string | undefined, configuredId: string | undefined, mac: Mac): Finding[] {
  const shared = sharedRouterId(mac);
  const fix = [
    `uci set babeld.@general[0].router_id=$(hexdump -n 8 -e '8/1 ":%02x"' /dev/urandom | cut -c 2-)`,
    'uci commit babeld && service babeld restart',
  ];
  const id = routerId ?? configuredId;
  if (id?.toLowerCase() === shared) {
    const message = `babeld's router id is made of the MAC ${mac}, which all routers share: their routes would be taken for one router's`;
    return [{ level: 'error', message, fix }];
  }
  if (configuredId === undefined) {
    const message = `babeld chooses its router id by itself, and may choose the MAC ${mac}, which all routers share`;
    return [{ level: 'warning', message, fix }];
  }
  return [{ level: 'good', message: `babeld's router id is ${id}` }];
}

/** Modified EUI-64 (RFC 4291 appendix A), as babeld makes its id of a MAC. */
export function sharedRouterId(mac: Mac): string {
  const [a, b, c, d, e, f] = macToBytes(mac) as unknown as [number, number, number, number, number, number];
  return [a ^ 2, b, c, 0xff, 0xfe, d, e, f].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
