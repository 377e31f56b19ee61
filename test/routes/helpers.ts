import type { NodeId } from '../../src/clients/node-id.js';
import type { Instant } from '../../src/clients/time.js';
import { parseIp } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { parsePrefix } from '../../src/net/prefix.js';
import type { Clock, KernelChange, Logger, Path, Timer } from '../../src/ports.js';
import type { ClientView } from '../../src/routes/desired.js';
import { NEXTHOP_BASE, NEXTHOP_COUNT } from '../../src/routes/nexthop-ids.js';

export const SELF = '00000000000000aa' as NodeId;
export const A = '0000000000000001' as NodeId;
export const B = '0000000000000002' as NodeId;

export function isInRange(id: number): boolean {
  return id >= NEXTHOP_BASE && id < NEXTHOP_BASE + NEXTHOP_COUNT;
}

export function path(ifindex: number, gateway: string): Path {
  return { ifindex, gateway: parseIp(gateway) };
}

/** A client with some prefixes, at a node: on interface 9 where that is this one. */
export function client(number: number, node: NodeId | undefined, ...prefixes: string[]): ClientView {
  return {
    mac: parseMac(`02:00:00:00:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`),
    node,
    addresses: prefixes.map(parsePrefix),
    link: node === SELF ? { network: 'br-client', ifindex: 9 } : undefined,
  };
}

/** A change in a few words: `set 10.44.0.1/32 44 dev 9`. */
export function brief(change: KernelChange): string {
  if ('nexthop' in change) {
    const { id, family, path } = change.nexthop;
    return `${change.op} nexthop ${id - NEXTHOP_BASE} v${family} ${path.gateway} dev ${path.ifindex}`;
  }
  if ('neighbour' in change) return `${change.op} neighbour ${change.neighbour.address}`;
  const { destination, protocol, via } = change.route;
  const to =
    via === 'unreachable'
      ? via
      : 'nexthop' in via
        ? `nexthop ${via.nexthop - NEXTHOP_BASE}`
        : 'path' in via
          ? `via ${via.path.gateway} dev ${via.path.ifindex}`
          : `dev ${via.ifindex}`;
  return `${change.op} ${destination.address}/${destination.length} ${protocol} ${to}`;
}

/** A clock that stands still until told. */
export class TestClock implements Clock {
  #now = 0 as Instant;
  #timers = new Set<{ at: Instant; task: () => void }>();

  now(): Instant {
    return this.#now;
  }

  schedule(at: Instant, task: () => void): Timer {
    const timer = { at, task };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Lets time pass, timer by timer, and everything settle in between. */
  async advance(by: number): Promise<void> {
    const end = (this.#now + by) as Instant;
    for (;;) {
      await turn();
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      if (next.at > this.#now) this.#now = next.at;
      next.task();
    }
    this.#now = end;
  }
}

/** Until promises that can settle have. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class TestLog implements Logger {
  readonly lines: string[] = [];
  error = (message: string) => void this.lines.push(`error ${message}`);
  warn = (message: string) => void this.lines.push(`warn ${message}`);
  info = (message: string) => void this.lines.push(`info ${message}`);
  debug = (message: string) => void this.lines.push(`debug ${message}`);
}
