/** The traffic between routers beside the client's: what of it is what. */
import type { Captured } from './capture.js';

/** Segments with something in them, and those that only acknowledge: of flooding sessions. What finds neighbours; Babel's. */
export const CONTROL = ['data', 'acks', 'hellos', 'Babel', 'other'] as const;
export type ControlKind = (typeof CONTROL)[number];

/** Frames and bytes, such as those of one roam on one link. */
export interface Share {
  readonly frames: number;
  readonly bytes: number;
}
export type Shares = { readonly [kind in ControlKind]: Share };

const ETHERNET = 14;
const TCP = 6;
const UDP = 17;
/** TCP and UDP of the daemon, TCP of sroamd too. */
const FLOODING_PORT = 4444;
const BABEL_PORT = 6696;

/** What a frame of Ethernet is, by its ports; of IPv6 without extension headers. At least its headers have to be there. */
export function controlKindOf(frame: Uint8Array): ControlKind {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const six = view.getUint16(12) === 0x86dd;
  if (!six && view.getUint16(12) !== 0x0800) return 'other';
  const protocol = frame[ETHERNET + (six ? 6 : 9)];
  const at = ETHERNET + (six ? 40 : (frame[ETHERNET]! & 15) * 4);
  const ports = protocol === TCP || protocol === UDP ? [view.getUint16(at), view.getUint16(at + 2)] : [];
  if (ports.includes(BABEL_PORT)) return 'Babel';
  if (!ports.includes(FLOODING_PORT)) return 'other';
  if (protocol === UDP) return 'hellos';
  const length = six ? 40 + view.getUint16(ETHERNET + 4) : view.getUint16(ETHERNET + 2);
  return ETHERNET + length > at + (frame[at + 12]! >> 4) * 4 ? 'data' : 'acks';
}

/** Frames by kind, those taken from `from` to `to` (milliseconds since 1970). */
export function countControl(captured: readonly Captured[], from: number, to: number): Shares {
  const shares = Object.fromEntries(CONTROL.map((kind) => [kind, { frames: 0, bytes: 0 }])) as { [kind in ControlKind]: Share };
  for (const { time, length, frame } of captured) {
    if (time < from || time >= to) continue;
    const kind = controlKindOf(frame);
    const { frames, bytes } = shares[kind];
    shares[kind] = { frames: frames + 1, bytes: bytes + length };
  }
  return shares;
}

/** Each share made of two others. */
export function combine(a: Shares, b: Shares, of: (a: number, b: number) => number): Shares {
  const entries = CONTROL.map((kind) => {
    const [one, other] = [a[kind], b[kind]];
    return [kind, { frames: of(one.frames, other.frames), bytes: of(one.bytes, other.bytes) }] as const;
  });
  return Object.fromEntries(entries) as Shares;
}

export function totalBytes(shares: Shares): number {
  return CONTROL.reduce((sum, kind) => sum + shares[kind].bytes, 0);
}
