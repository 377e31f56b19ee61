/** Policy rules, which table is asked when: struct fib_rule_hdr and its attributes, linux/fib_rules.h. */
import { ShortInput } from '../../net/bytes.js';
import type { Family } from '../../net/ip.js';
import { ipFromBytes, ipToBytes } from '../../net/ip.js';
import type { Prefix } from '../../net/prefix.js';
import { makePrefix } from '../../net/prefix.js';
import { fromAf, toAf } from './family.js';
import type { NetlinkMessage } from './wire.js';
import { MessageWriter, NLM_F_CREATE, NLM_F_EXCL, parseAttributes, readString, readU32 } from './wire.js';

export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
const RTM_GETRULE = 34;

const HEADER_LENGTH = 12;

const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_PROTOCOL = 21;

/** FIB_RULE_INVERT: for whatever the rest of the rule does not match. */
const INVERT = 2;

/** FR_ACT_TO_TBL: look the packet up in the table. */
const LOOKUP = 1;

export interface Rule {
  readonly family: Family;
  /** Rules are tried from the lowest number up: 0 is the local table's, 32,766 the main table's. */
  readonly priority: number;
  readonly table: number;
  /** Who made it, as for routes. Kernels since 4.17. */
  readonly protocol?: number;
  /** Only packets from, or to, this prefix. */
  readonly source?: Prefix;
  readonly destination?: Prefix;
  /** Only packets that came in by the interface of this name. */
  readonly iif?: string;
  /**
   * Only packets with this mark, not 0. A route query may carry a mark as well: with `invert` the rule's table can be left out
   * of it.
   */
  readonly mark?: number;
  /** A route that the table gives does not count where its prefix is this long or shorter. */
  readonly suppressPrefixLength?: number;
  /** Only packets that all of the above does not fit. */
  readonly invert?: boolean;
}

/** Adds a rule that looks packets up in a table; EEXIST when there is the same. */
export function addRule(rule: Rule): Uint8Array {
  return encode(rule, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
}

/** Removes the first rule that is like this; ENOENT when there is none. */
export function deleteRule(rule: Rule): Uint8Array {
  return encode(rule, RTM_DELRULE, 0);
}

function encode(rule: Rule, type: number, flags: number): Uint8Array {
  const { table, source, destination } = rule;
  const w = new MessageWriter(type, flags)
    .u8(toAf(rule.family), destination?.length ?? 0, source?.length ?? 0, 0)
    .u8(table < 256 ? table : 0, 0, 0, LOOKUP)
    .u32(rule.invert ? INVERT : 0);
  if (destination) w.attribute(FRA_DST, ipToBytes(destination.address));
  if (source) w.attribute(FRA_SRC, ipToBytes(source.address));
  if (rule.iif !== undefined) w.attributeString(FRA_IIFNAME, rule.iif);
  if (rule.mark !== undefined) w.attributeU32(FRA_FWMARK, rule.mark);
  w.attributeU32(FRA_PRIORITY, rule.priority);
  if (rule.suppressPrefixLength !== undefined) w.attributeU32(FRA_SUPPRESS_PREFIXLEN, rule.suppressPrefixLength);
  if (rule.protocol !== undefined) w.attributeU8(FRA_PROTOCOL, rule.protocol);
  // A number beyond a byte goes here.
  if (table > 255) w.attributeU32(FRA_TABLE, table);
  return w.done();
}

export function dumpRules(family: Family): Uint8Array {
  return new MessageWriter(RTM_GETRULE).u8(toAf(family), 0, 0, 0).u8(0, 0, 0, 0).u32(0).done();
}

/**
 * The rule in a RTM_NEWRULE or RTM_DELRULE message; undefined for one that does not look up a table.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseRule({ payload }: NetlinkMessage): Rule | undefined {
  if (payload.length < HEADER_LENGTH) throw new ShortInput(HEADER_LENGTH, payload.length);
  const family = fromAf(payload[0]!);
  if (family === undefined || payload[7] !== LOOKUP) return undefined;
  const attributes = parseAttributes(payload, HEADER_LENGTH);
  const prefix = (address: Uint8Array, length: number) => makePrefix(ipFromBytes(address), length);
  const priority = attributes.get(FRA_PRIORITY);
  const table = attributes.get(FRA_TABLE);
  const protocol = attributes.get(FRA_PROTOCOL)?.[0];
  const source = attributes.get(FRA_SRC);
  const destination = attributes.get(FRA_DST);
  const iif = attributes.get(FRA_IIFNAME);
  const mark = attributes.get(FRA_FWMARK);
  const suppressed = attributes.get(FRA_SUPPRESS_PREFIXLEN);
  return {
    family,
    priority: priority ? readU32(priority) : 0,
    table: table ? readU32(table) : payload[4]!,
    ...(protocol !== undefined && { protocol }),
    ...(source && { source: prefix(source, payload[2]!) }),
    ...(destination && { destination: prefix(destination, payload[1]!) }),
    ...(iif && { iif: readString(iif) }),
    ...(mark && { mark: readU32(mark) }),
    // All ones: none.
    ...(suppressed && readU32(suppressed) !== 0xffffffff && { suppressPrefixLength: readU32(suppressed) }),
    ...((readU32(payload, 8) & INVERT) !== 0 && { invert: true }),
  };
}
