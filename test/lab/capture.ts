/** What goes over a client's link, recorded and then decoded by Wireshark's dissectors. */
import { stat } from 'node:fs/promises';
import type { Lab } from './lab.js';
import type { Service } from './shell.js';
import { run, until } from './shell.js';

/** DHCP, ARP, and router and neighbour solicitations and advertisements. */
const FILTER = 'arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 136) or udp port 67 or udp port 68';

/** Checksums are to be verified, not taken for the work of a network card. */
const PREFERENCES = ['ip.check_checksum:TRUE', 'udp.check_checksum:TRUE'].flatMap((preference) => ['-o', preference]);

/** Severity of expert information from which on something is wrong: PI_WARN of Wireshark's epan/proto.h. */
const WARNING = 0x600000;

const CHECKSUM_GOOD = '1';

const FIELDS = [
  'frame.number', 'frame.time_epoch', 'eth.dst', 'arp.opcode', 'icmpv6.type', 'dhcp.option.dhcp',
  'ip.checksum.status', 'udp.checksum.status', 'icmpv6.checksum.status',
  '_ws.expert.severity', '_ws.expert.message', '_ws.malformed',
] as const;

export type Frame = { readonly [field in (typeof FIELDS)[number]]: string };

export class Capture {
  private constructor(
    private readonly service: Service,
    private readonly file: string,
  ) {}

  /** Records on `device` of a host from now on. */
  static async start(lab: Lab, host: string, device: string): Promise<Capture> {
    const file = `${lab.directory}/${host}.pcap`;
    const service = lab.service(host, 'tshark', '-q', '-i', device, '-w', file, '-f', FILTER);
    // It says so before it does; the file's header is written once the interface is open.
    await until(`tshark records on ${device} of ${host}`, 15, async () => {
      const size = await stat(file).then((found) => found.size, () => 0);
      return service.output.includes('Capturing on') && size > 0;
    });
    return new Capture(service, file);
  }

  async stop(): Promise<void> {
    await this.service.stop('SIGINT');
  }

  /** Frames that match a display filter, dissected. */
  async frames(filter: string): Promise<Frame[]> {
    const fields = FIELDS.flatMap((field) => ['-e', field]);
    const text = await run('tshark', '-r', this.file, ...PREFERENCES, '-Y', filter, '-T', 'fields', ...fields);
    return text.split('\n').filter((line) => line !== '').map((line) => {
      const values = line.split('\t');
      return Object.fromEntries(FIELDS.map((field, i) => [field, values[i] ?? ''])) as Frame;
    });
  }
}

/** What a frame is, in a word; '' where it is none of those that a router's daemon sends. */
export function kindOf(frame: Frame): string {
  const dhcp: { [type: string]: string } = { 2: 'DHCPOFFER', 5: 'DHCPACK', 6: 'DHCPNAK' };
  const nd: { [type: string]: string } = { 134: 'RA', 135: 'NS', 136: 'NA' };
  const arp: { [type: string]: string } = { 1: 'ARP request', 2: 'ARP reply' };
  return dhcp[frame['dhcp.option.dhcp']] ?? nd[frame['icmpv6.type']] ?? arp[frame['arp.opcode']] ?? '';
}

/** What a dissector finds wrong with a frame; '' where it is as it should be. */
export function faultOf(frame: Frame): string {
  const faults = [];
  const severities = frame['_ws.expert.severity'].split(',').filter((severity) => severity !== '');
  if (severities.some((severity) => Number(severity) >= WARNING)) faults.push(frame['_ws.expert.message']);
  if (frame['_ws.malformed'] !== '') faults.push('malformed');
  for (const field of ['ip.checksum.status', 'udp.checksum.status', 'icmpv6.checksum.status'] as const) {
    if (!['', CHECKSUM_GOOD].includes(frame[field])) faults.push(`${field} ${frame[field]}`);
  }
  return faults.join('; ');
}
