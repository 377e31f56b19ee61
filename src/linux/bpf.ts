/**
 * Classic BPF programs for sockets (Linux, Documentation/networking/filter.rst): a small assembler and the filters of
 * packet sockets that the daemon needs. They look at Ethernet frames as a packet socket of type SOCK_RAW sees them: an
 * 802.1Q tag has been taken off and stands in the metadata.
 */

/** One instruction: struct sock_filter. Jumps count instructions forward from the next one. */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export type BpfProgram = readonly BpfInstruction[];

/** One condition on the message: loads a value and compares it; the message fails unless the comparison holds. */
type Step =
  | { readonly load: number; readonly k: number }
  | { readonly equals: number }
  | { readonly oneOf: readonly number[] }
  | { readonly noneOf: readonly number[] }
  | { readonly noneSet: number };

/** Conditions that must all hold. */
export type BpfTest = readonly Step[];

// Instruction codes: class | size | mode (linux/bpf_common.h).
const LD_B_ABS = 0x30;
const LD_H_ABS = 0x28;
const LD_W_ABS = 0x20;
const LD_H_IND = 0x48;
const LDX_B_MSH = 0xb1;
const JEQ_K = 0x15;
const JSET_K = 0x45;
const RET_K = 0x06;

/** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT: whether the frame carried a tag. */
const VLAN_TAG_PRESENT = 0xfffff000 + 48;

const ETHERTYPE = 12;
/** Where the network header stands: after the Ethernet header. */
const NET = 14;

const ETH_P_IP = 0x0800;
const ETH_P_ARP = 0x0806;
const ETH_P_IPV6 = 0x86dd;
const IPPROTO_UDP = 17;
const IPPROTO_ICMPV6 = 58;
const DHCP_SERVER_PORT = 67;

export const byteAt = (k: number): Step => ({ load: LD_B_ABS, k });
/** In network byte order. */
export const halfAt = (k: number): Step => ({ load: LD_H_ABS, k });
export const wordAt = (k: number): Step => ({ load: LD_W_ABS, k });
export const is = (equals: number): Step => ({ equals });

/** A tagged frame belongs to the VLAN interface, which sees it as well; not to the one below. */
const untagged: BpfTest = [{ load: LD_W_ABS, k: VLAN_TAG_PRESENT }, is(0)];

/** ARP, RFC 826. */
export const arp: BpfTest = [...untagged, halfAt(ETHERTYPE), is(ETH_P_ARP)];

/** DHCPv4 to a server: UDP to port 67, not a fragment. */
export const dhcp4Server: BpfTest = [
  ...untagged,
  halfAt(ETHERTYPE),
  is(ETH_P_IP),
  byteAt(NET + 9),
  is(IPPROTO_UDP),
  // More fragments, and the fragment offset (RFC 791 3.1).
  halfAt(NET + 6),
  { noneSet: 0x3fff },
  // X = IPv4 header length; then the destination port behind it.
  { load: LDX_B_MSH, k: NET },
  { load: LD_H_IND, k: NET + 2 },
  is(DHCP_SERVER_PORT),
];

/** ICMPv6 of the given types with the hop limit of 255 that RFC 4861 asks of every neighbour discovery message. */
export function neighbourDiscovery(types: readonly number[]): BpfTest {
  return [
    ...untagged,
    halfAt(ETHERTYPE),
    is(ETH_P_IPV6),
    byteAt(NET + 6),
    is(IPPROTO_ICMPV6),
    byteAt(NET + 7),
    is(255),
    byteAt(NET + 40),
    { oneOf: types },
  ];
}

/** Router solicitation (133), neighbour solicitation (135) and advertisement (136). */
export const clientDiscovery: BpfTest = neighbourDiscovery([133, 135, 136]);

/** All that a client says to its router: ARP, DHCPv4, and the neighbour discovery of {@link clientDiscovery}. */
export const clientTraffic: readonly BpfTest[] = [arp, dhcp4Server, clientDiscovery];

/**
 * An XID response (IEEE 802.2 5.4.1.1.2; type 1, class I) from a station to all bridges, which learn from it where the
 * station is now: the kernel sends it in the name of a station that it has just authorised.
 */
export const stationMoved: BpfTest = [...untagged, halfAt(NET), is(0x0001), byteAt(NET + 2), is(0xaf), byteAt(NET + 3), is(0x81)];

/**
 * A program that accepts a message for which any of the tests holds.
 *
 * @throws RangeError when a test is so long that a jump does not fit its eight bits
 */
export function anyOf(...tests: readonly BpfTest[]): BpfProgram {
  return [...tests.flatMap(assemble), { code: RET_K, jt: 0, jf: 0, k: 0 }];
}

/** One test: falls out at the end, with the next instruction, when a condition fails, and accepts otherwise. */
function assemble(test: BpfTest): BpfInstruction[] {
  const lengths = test.map((step) => ('oneOf' in step ? step.oneOf.length : 'noneOf' in step ? step.noneOf.length : 1));
  const total = lengths.reduce((sum, length) => sum + length, 0) + 1;
  const out: BpfInstruction[] = [];
  // From the instruction that is about to be added to the one behind this test.
  const fail = () => {
    const distance = total - out.length - 1;
    if (distance > 255) throw new RangeError('a BPF test is too long');
    return distance;
  };
  for (const step of test) {
    if ('load' in step) out.push({ code: step.load, jt: 0, jf: 0, k: step.k });
    else if ('noneSet' in step) out.push({ code: JSET_K, jt: fail(), jf: 0, k: step.noneSet });
    else if ('noneOf' in step) for (const k of step.noneOf) out.push({ code: JEQ_K, jt: fail(), jf: 0, k });
    else if ('oneOf' in step) {
      step.oneOf.forEach((k, i) => {
        const rest = step.oneOf.length - 1 - i;
        out.push({ code: JEQ_K, jt: rest, jf: rest === 0 ? fail() : 0, k });
      });
    } else out.push({ code: JEQ_K, jt: 0, jf: fail(), k: step.equals });
  }
  out.push({ code: RET_K, jt: 0, jf: 0, k: 0x40000 });
  return out;
}

/** The program as an array of struct sock_filter in host byte order, as the kernel takes it. */
export function encodeBpf(program: BpfProgram): Uint8Array {
  const bytes = new Uint8Array(8 * program.length);
  const codes = new Uint16Array(bytes.buffer);
  const operands = new Uint32Array(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, i) => {
    codes[4 * i] = code;
    bytes[8 * i + 2] = jt;
    bytes[8 * i + 3] = jf;
    operands[2 * i + 1] = k;
  });
  return bytes;
}
