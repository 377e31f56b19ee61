import fc from 'fast-check';
import t from 'tap';
import type { BpfProgram } from '../../src/linux/bpf.js';
import { anyOf, arp, clientDiscovery, clientTraffic, dhcp4Server, encodeBpf, neighbourDiscovery, stationMoved } from '../../src/linux/bpf.js';
import { kernelNews } from '../../src/linux/kernel-filter.js';
import { deleteFdbEntry } from '../../src/linux/netlink/fdb.js';
import { deleteLink } from '../../src/linux/netlink/link.js';
import { deleteNeighbour, replaceNeighbour, RTM_NEWNEIGH } from '../../src/linux/netlink/neighbour.js';
import { wirelessNews } from '../../src/linux/netlink/nl80211.js';
import { replaceRoute, RTM_DELROUTE } from '../../src/linux/netlink/route.js';
import { addRule } from '../../src/linux/netlink/rule.js';
import { MessageWriter } from '../../src/linux/netlink/wire.js';
import { parseIp } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { fromHex, toHex } from '../../src/net/bytes.js';

/**
 * The machine of the kernel, as far as the programs use it. A load beyond the frame ends the program with 0; jumps only
 * go forward.
 */
function run(program: BpfProgram, frame: Uint8Array, tagged = false): number {
  let a = 0;
  let x = 0;
  for (let pc = 0; ; pc++) {
    const instruction = program[pc];
    if (!instruction) throw new Error('ran off the end');
    const { code, jt, jf, k } = instruction;
    const byte = (at: number) => frame[at] ?? NaN;
    const half = (at: number) => byte(at) * 256 + byte(at + 1);
    switch (code) {
      case 0x30:
        a = byte(k);
        break;
      case 0x28:
        a = half(k);
        break;
      case 0x48:
        a = half(x + k);
        break;
      case 0xb1:
        x = (byte(k) & 0xf) * 4;
        if (k >= frame.length) return 0;
        break;
      case 0x20:
        a = k === 0xfffff030 ? Number(tagged) : half(k) * 65536 + half(k + 2);
        break;
      case 0x15:
        pc += a === k ? jt : jf;
        break;
      case 0x45:
        pc += (a & k) !== 0 ? jt : jf;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`instruction ${code}`);
    }
    if (Number.isNaN(a)) return 0;
  }
}

const MACS = '020000000001 020000000009';
const ARP = `${MACS} 0806 0001080006040001 020000000009 0a2c0009 000000000000 0a2c0001`;
/** IPv4 header, the given IHL byte, fragment field and protocol; then UDP. */
const ip4 = ({ ihl = '45', fragment = '0000', protocol = '11', options = '', port = '0043' } = {}) =>
  `${MACS} 0800 ${ihl}00 0148 0000 ${fragment} 40 ${protocol} 0000 00000000 ffffffff ${options} 0044 ${port} 0134 0000`;
const ip6 = ({ next = '3a', hops = 'ff', type = '85' } = {}) =>
  `${MACS} 86dd 60000000 0010 ${next} ${hops} ${'00'.repeat(32)} ${type} 00 0000 00000000`;

const accepts = (program: BpfProgram, hex: string, tagged = false) => run(program, fromHex(hex), tagged) > 0;

t.test('each filter takes its own and nothing else', async (t) => {
  const [a, d, n] = [anyOf(arp), anyOf(dhcp4Server), anyOf(clientDiscovery)];
  const frames: [what: string, frame: string, arp: boolean, dhcp: boolean, nd: boolean][] = [
    ['ARP', ARP, true, false, false],
    ['DHCP to a server', ip4(), false, true, false],
    ['DHCP behind IPv4 options', ip4({ ihl: '46', options: '01010101' }), false, true, false],
    ['DHCP to a client', ip4({ port: '0044' }), false, false, false],
    ['TCP', ip4({ protocol: '06' }), false, false, false],
    ['first fragment', ip4({ fragment: '2000' }), false, false, false],
    ['later fragment', ip4({ fragment: '00b9' }), false, false, false],
    ['do not fragment', ip4({ fragment: '4000' }), false, true, false],
    ['router solicitation', ip6({ type: '85' }), false, false, true],
    ['router advertisement', ip6({ type: '86' }), false, false, false],
    ['neighbour solicitation', ip6({ type: '87' }), false, false, true],
    ['neighbour advertisement', ip6({ type: '88' }), false, false, true],
    ['redirect', ip6({ type: '89' }), false, false, false],
    ['echo', ip6({ type: '80' }), false, false, false],
    ['UDP over IPv6', ip6({ next: '11' }), false, false, false],
    ['a solicitation from beyond a router', ip6({ hops: 'fe' }), false, false, false],
    ['some other protocol', `${MACS} 88b5 0000`, false, false, false],
    ['nothing', '', false, false, false],
  ];
  for (const [what, frame, isArp, isDhcp, isDiscovery] of frames) {
    t.equal(accepts(a, frame), isArp, `arp: ${what}`);
    t.equal(accepts(d, frame), isDhcp, `dhcp: ${what}`);
    t.equal(accepts(n, frame), isDiscovery, `nd: ${what}`);
    t.equal(accepts(anyOf(...clientTraffic), frame), isArp || isDhcp || isDiscovery, `any: ${what}`);
    t.equal(accepts(anyOf(...clientTraffic), frame, true), false, `tagged: ${what}`);
  }
  t.equal(accepts(anyOf(), ARP), false, 'no test, no frame');
});

t.test('what the kernel tells bridges of a station, as mac80211 sends it', async (t) => {
  const moved = 'ffffffffffff 02000000000a 0006 0001af 810100';
  const program = anyOf(stationMoved);
  t.ok(accepts(program, moved));
  t.notOk(accepts(program, moved, true), 'tagged');
  t.notOk(accepts(program, 'ffffffffffff 02000000000a 0006 0001e3 810100'), 'TEST');
  t.notOk(accepts(program, '0180c2000000 02000000000a 0026 424203 000000'), 'spanning tree');
  for (let length = 0; length < 18; length++) t.notOk(run(program, fromHex(moved).subarray(0, length)), `${length} bytes`);
});

t.test('any frame at all, compared with the filter in words', async () => {
  const program = anyOf(...clientTraffic);
  const wanted = (f: Uint8Array): boolean => {
    const half = (at: number) => (f[at]! << 8) | f[at + 1]!;
    if (f.length < 14) return false;
    if (half(12) === 0x0806) return true;
    if (half(12) === 0x0800 && f.length > 23 && f[23] === 17 && (half(20) & 0x3fff) === 0) {
      const udp = 14 + 4 * (f[14]! & 0xf);
      return f.length >= udp + 4 && half(udp + 2) === 67;
    }
    return half(12) === 0x86dd && f[20] === 58 && f[21] === 255 && [133, 135, 136].includes(f[54] ?? 0);
  };
  const templates = [ARP, ip4(), ip4({ ihl: '46', options: '01010101' }), ip6()].map(fromHex);
  fc.assert(
    fc.property(
      fc.constantFrom(...templates),
      fc.nat(70),
      fc.array(fc.tuple(fc.integer({ min: 12, max: 60 }), fc.nat(255)), { maxLength: 2 }),
      (template, length, edits) => {
        const frame = template.slice(0, length);
        for (const [at, value] of edits) if (at < frame.length) frame[at] = value;
        return run(program, frame) > 0 === wanted(frame);
      },
    ),
    { numRuns: 5000 },
  );
});

/** A port id, with the highest bit set as the kernel chooses them for all but the first socket of a process. */
const OWN = 0xfedcba98;

t.test('what wakes the daemon of all that rtnetlink tells', async (t) => {
  const passes = (message: Uint8Array, type?: number, port = 0) => {
    const bytes = message.slice();
    new Uint32Array(bytes.buffer)[3] = port;
    if (type !== undefined) new Uint16Array(bytes.buffer)[2] = type;
    return run(kernelNews(OWN), bytes) > 0;
  };
  const route = (protocol: number) => replaceRoute({ destination: parsePrefix('10.44.0.1/32'), table: 44, protocol, oif: 9 });
  t.strictSame([44, 45, 42, 0].map((protocol) => passes(route(protocol))), [false, false, true, true], 'not our own routes');
  t.ok(passes(route(44), RTM_DELROUTE), 'but that they go');
  t.notOk(passes(route(44), RTM_DELROUTE, OWN), 'unless we have removed them');
  t.ok(passes(route(44), RTM_DELROUTE, OWN ^ 1), 'and not another');
  t.ok(run(kernelNews(undefined), replaceRoute({ destination: parsePrefix('10.44.0.1/32'), table: 44, protocol: 42, oif: 9 })) > 0);
  for (const ip of ['10.44.0.1', 'fe80::1'].map(parseIp)) {
    const entry = { ip, ifindex: 9, mac: parseMac('02:00:00:00:00:01'), state: 'reachable' } as const;
    t.strictSame([passes(replaceNeighbour(entry)), passes(deleteNeighbour(entry))], [false, true], 'neighbours that go');
  }
  const entry = { mac: parseMac('02:00:00:00:00:01'), port: 3 };
  t.strictSame([passes(deleteFdbEntry(entry)), passes(deleteFdbEntry(entry), RTM_NEWNEIGH)], [false, false], 'nothing of bridges');
  t.ok(passes(addRule({ family: 4, priority: 100, table: 7 })) && passes(deleteLink(9)), 'all else');
});

t.test('what wakes the daemon of all that nl80211 tells', async (t) => {
  const passes = (command: number) => run(wirelessNews, new MessageWriter(40).u8(command, 1, 0, 0).done()) > 0;
  t.strictSame(Array.from({ length: 256 }, (_, command) => command).filter(passes), [7, 8, 19, 20], 'interfaces and stations that are new or gone');
});

t.test('the bytes that the kernel takes', async (t) => {
  const host = (words: number[]) => toHex(new Uint8Array(Uint16Array.from(words).buffer));
  t.equal(
    toHex(encodeBpf(anyOf(arp).slice(2))),
    [
      host([0x28, 0]) + host([12, 0]), // ldh [12]
      host([0x15, 0x0100]) + host([0x0806, 0]), // jeq #0x806, or over the next one
      host([0x06, 0]) + host([0, 4]), // ret #262144
      host([0x06, 0]) + host([0, 0]), // ret #0
    ].join(''),
  );
  t.equal(encodeBpf([]).length, 0);
  const many = Array.from({ length: 300 }, (_, i) => i);
  t.throws(() => anyOf(neighbourDiscovery(many)), RangeError, 'a jump has eight bits');
});
