/** What a handover does to a stream, from the packets that arrived. */
import type { StreamPacket } from './capture.js';

export interface Gap {
  /** The longest time without a packet, in milliseconds; without an interruption, about the stream's interval. */
  readonly longest: number;
  /** When that ended, in milliseconds since 1970. */
  readonly ended: number;
  /** Packets that never came. */
  readonly lost: number;
  /** Nothing came any more until the end. */
  readonly dead: boolean;
}

/**
 * The packets of one stream that arrived from `from` to `to` (milliseconds since 1970), in order of arrival. `interval`:
 * milliseconds between two packets as they are meant to be sent; where the sender was late itself, that is no gap.
 */
export function gapOf(packets: readonly StreamPacket[], from: number, to: number, interval: number): Gap {
  let last: StreamPacket | undefined;
  let longest = 0;
  let ended = from;
  let lost = 0;
  for (const packet of packets) {
    if (packet.arrived < from || packet.arrived > to) continue;
    if (last !== undefined && packet.sequence <= last.sequence) continue;
    const silence = packet.arrived - (last?.arrived ?? from);
    const missing = last === undefined ? 0 : packet.sequence - last.sequence - 1;
    const late = last === undefined || missing > 0 ? 0 : Math.max(0, packet.sent - last.sent - interval);
    if (silence - late > longest) [longest, ended] = [silence - late, packet.arrived];
    lost += missing;
    last = packet;
  }
  const silence = to - (last?.arrived ?? from);
  if (silence > longest) [longest, ended] = [silence, to];
  return { longest, ended, lost, dead: silence > Math.max(100, 20 * interval) };
}

export interface Distribution {
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** Nearest rank. */
export function distributionOf(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return { median: rank(0.5), p95: rank(0.95), max: rank(1) };
}
