/**
 * A table of nf_tables that keeps ICMP redirects (RFC 792, RFC 4861 8) from leaving by client interfaces: linux/netfilter/
 * nfnetlink.h and nf_tables.h. Numbers in its attributes are in network byte order.
 */
import type { MessageWriter as Writer } from './wire.js';
import { MessageWriter, NLM_F_APPEND, NLM_F_CREATE } from './wire.js';

export const NETLINK_NETFILTER = 12;

const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const SUBSYSTEM_NFTABLES = 10;
const NEWTABLE = 0;
const DELTABLE = 2;
const NEWCHAIN = 3;
const NEWRULE = 6;

const NFPROTO_UNSPEC = 0;
const NFPROTO_INET = 1;

const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_FLAGS = 2;
/** The table goes with the socket that made it, however the process ends (Linux 5.12). */
const NFT_TABLE_F_OWNER = 2;

const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NF_INET_LOCAL_OUT = 3;

const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

const NFT_REG_1 = 1;
const NFT_META_OIFNAME = 7;
const NFT_META_L4PROTO = 16;
const TRANSPORT_HEADER = 2;
const IFNAMSIZ = 16;

const TABLE = 'roaming';
const CHAIN = 'output';

/** Protocol and type of redirects in either family. */
const REDIRECTS = [
  { protocol: 1, type: 5 },
  { protocol: 58, type: 137 },
] as const;

/**
 * One transaction, which replaces the table. The last two of its messages are one item of the list: it is for the rule
 * that the kernel's acknowledgement is asked, since before Linux 6.10 the end of a batch is not acknowledged.
 */
export function blockRedirects(networks: readonly string[]): Uint8Array[] {
  const messages = [
    batch(BATCH_BEGIN),
    table(NEWTABLE),
    table(DELTABLE),
    table(NEWTABLE),
    chain(),
    ...networks.flatMap((network) => REDIRECTS.map(({ protocol, type }) => rule(network, protocol, type))),
  ];
  const last = messages.pop()!;
  return [...messages, Uint8Array.from([...last, ...batch(BATCH_END)])];
}

function batch(type: number): Uint8Array {
  return new MessageWriter(type).u8(NFPROTO_UNSPEC, 0, 0, SUBSYSTEM_NFTABLES).done();
}

function message(type: number, flags: number): Writer {
  return new MessageWriter((SUBSYSTEM_NFTABLES << 8) | type, flags).u8(NFPROTO_INET, 0, 0, 0);
}

function table(type: number): Uint8Array {
  const w = message(type, type === NEWTABLE ? NLM_F_CREATE : 0).attributeString(NFTA_TABLE_NAME, TABLE);
  return (type === NEWTABLE ? w.attribute(NFTA_TABLE_FLAGS, be32(NFT_TABLE_F_OWNER)) : w).done();
}

function chain(): Uint8Array {
  const w = message(NEWCHAIN, NLM_F_CREATE);
  w.attributeString(NFTA_CHAIN_TABLE, TABLE).attributeString(NFTA_CHAIN_NAME, CHAIN);
  w.nested(NFTA_CHAIN_HOOK, () =>
    w.attribute(NFTA_HOOK_HOOKNUM, be32(NF_INET_LOCAL_OUT)).attribute(NFTA_HOOK_PRIORITY, be32(0)),
  );
  return w.attributeString(NFTA_CHAIN_TYPE, 'filter').done();
}

/** `oifname "br-client" meta l4proto icmp icmp type redirect drop` */
function rule(network: string, protocol: number, type: number): Uint8Array {
  const w = message(NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
  w.attributeString(NFTA_RULE_TABLE, TABLE).attributeString(NFTA_RULE_CHAIN, CHAIN);
  w.nested(NFTA_RULE_EXPRESSIONS, () => {
    const name = new Uint8Array(IFNAMSIZ);
    name.set(new TextEncoder().encode(network));
    meta(w, NFT_META_OIFNAME);
    compare(w, name);
    meta(w, NFT_META_L4PROTO);
    compare(w, Uint8Array.of(protocol));
    expression(w, 'payload', [NFT_REG_1, TRANSPORT_HEADER, 0, 1]);
    compare(w, Uint8Array.of(type));
    drop(w);
  });
  return w.done();
}

function meta(w: Writer, key: number): void {
  expression(w, 'meta', [NFT_REG_1, key]);
}

/** Goes on where register 1 holds `value`. */
function compare(w: Writer, value: Uint8Array): void {
  const NFTA_CMP_DATA = 3;
  const NFTA_DATA_VALUE = 1;
  const NFT_CMP_EQ = 0;
  expression(w, 'cmp', [NFT_REG_1, NFT_CMP_EQ], () =>
    w.nested(NFTA_CMP_DATA, () => w.attribute(NFTA_DATA_VALUE, value)),
  );
}

function drop(w: Writer): void {
  const NFT_REG_VERDICT = 0;
  const NFTA_IMMEDIATE_DATA = 2;
  const NFTA_DATA_VERDICT = 2;
  const NFTA_VERDICT_CODE = 1;
  const NF_DROP = 0;
  expression(w, 'immediate', [NFT_REG_VERDICT], () =>
    w.nested(NFTA_IMMEDIATE_DATA, () =>
      w.nested(NFTA_DATA_VERDICT, () => w.attribute(NFTA_VERDICT_CODE, be32(NF_DROP))),
    ),
  );
}

/** An expression whose attributes 1, 2, ... are `numbers`, and then what `more` writes. */
function expression(w: Writer, name: string, numbers: readonly number[], more?: () => void): void {
  w.nested(NFTA_LIST_ELEM, () => {
    w.attributeString(NFTA_EXPR_NAME, name);
    w.nested(NFTA_EXPR_DATA, () => {
      numbers.forEach((number, i) => w.attribute(i + 1, be32(number)));
      more?.();
    });
  });
}

function be32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
