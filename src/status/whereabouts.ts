import { grown, nextLength, Rows } from '../clients/columns.js';
import type { NodeId } from '../clients/node-id.js';
import type { Instant } from '../clients/time.js';
import type { Brand } from '../net/brand.js';
import type { Mac } from '../net/mac.js';

export interface Stay {
  /** When the client came to the node where it is. */
  readonly since: Instant;
  /** How often it has roamed since it joined. */
  readonly roams: number;
}

/** Since when each client is where it is. In columns, since there is one for every client of the network. */
export class Whereabouts {
  #rows = new Rows<Mac, Brand<number, 'Row'>>();
  #since = new Float64Array(0);
  #roams = new Uint32Array(0);

  /** Undefined where the client is at no node. */
  get(mac: Mac): Stay | undefined {
    const row = this.#rows.get(mac);
    return row === undefined ? undefined : { since: this.#since[row] as Instant, roams: this.#roams[row]! };
  }

  moved(mac: Mac, from: NodeId | undefined, to: NodeId | undefined, now: Instant): void {
    if (to === undefined) return void this.#rows.delete(mac);
    const known = this.#rows.get(mac);
    const row = known ?? this.#rows.add(mac);
    if (row >= this.#since.length) this.#grow();
    this.#since[row] = now;
    this.#roams[row] = from === undefined ? 0 : 1 + (known === undefined ? 0 : this.#roams[row]!);
  }

  #grow(): void {
    const length = nextLength(this.#since.length);
    this.#since = grown(this.#since, new Float64Array(length));
    this.#roams = grown(this.#roams, new Uint32Array(length));
  }
}
