/** Clients that stay where they are, as the node tells that has them: nothing but their records, told again in time. */
import * as claims from '../../src/clients/claims.js';
import { Keeper } from '../../src/clients/keeper.js';
import type { Record } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { after, HOUR, MINUTE } from '../../src/clients/time.js';
import { systemClock } from '../../src/linux/clock.js';
import { ip4FromNumber, parseIp } from '../../src/net/ip.js';
import type { Ip6 } from '../../src/net/ip.js';
import { macFromBytes } from '../../src/net/mac.js';
import type { BenchNode } from './bench-node.js';

/** Records of a client: an association, two leases and a host name. */
export const RECORDS_PER_CLIENT = 4;

/** Of all ages, as after days, so that one minute is like any other. */
export class Residents {
  readonly #keeper: Keeper;

  constructor(
    private readonly node: BenchNode,
    private readonly count: number,
  ) {
    this.#keeper = new Keeper(node.db, HOUR, () => true);
    const now = systemClock.now();
    for (let n = 0; n < count; n++) this.#add(n, now);
  }

  /** The n-th came so long ago, or was given a new life then: half a lifetime ago at the most. */
  #add(n: number, now: Instant): void {
    const { db, id } = this.node;
    const mac = macFromBytes(Uint8Array.of(2, 0, 0, n >> 16, n >> 8, n));
    const came = after(now, (-n / this.count) * (HOUR / 2));
    const network = parseIp(`2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::`) as Ip6;
    const records: (Record | undefined)[] = [
      claims.claim(db, mac, id, came),
      claims.lease4(db, ip4FromNumber(0x0a2c0000 + n), mac, HOUR, came),
      claims.lease6(db, network, mac, HOUR, came),
      claims.clientInfo(db, mac, { hostname: `android-${n.toString(16).padStart(8, '0')}`, ssid: 'Mesh' }, came),
    ];
    for (const record of records) this.node.put(record!);
    // Its round that is next: a quarter of a lifetime after it came, or after that one.
    this.#keeper.keep(mac, now - came < 15 * MINUTE ? came : after(came, 15 * MINUTE));
  }

  /** From now on their records are told again when it is time. */
  keepAlive(): void {
    for (const record of this.#keeper.poll(systemClock.now())) this.node.put(record);
    const next = this.#keeper.nextDeadline;
    if (next !== undefined) systemClock.schedule(next, () => this.keepAlive());
  }
}
