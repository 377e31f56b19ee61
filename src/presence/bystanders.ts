/**
 * Hosts that are no clients, since the configuration leaves their interface or their Wi-Fi network alone, or what tells of
 * them. Access points and bridges tell of a host once: when another configuration makes clients of them, they are known
 * from here.
 */
import type { Sight } from './presence.js';

export class Bystanders {
  #sights = new Map<string, Sight>();

  get size(): number {
    return this.#sights.size;
  }

  saw(sight: Sight): void {
    this.#sights.set(keyOf(sight), sight);
  }

  left(station: Pick<Sight, 'mac' | 'via' | 'source'>): void {
    this.#sights.delete(keyOf(station));
  }

  /** Those that are clients now; they are none of ours any more. */
  take(isClient: (sight: Sight) => boolean): Sight[] {
    const taken = [...this.#sights.values()].filter(isClient);
    for (const sight of taken) this.left(sight);
    return taken;
  }
}

function keyOf({ mac, via, source }: Pick<Sight, 'mac' | 'via' | 'source'>): string {
  return `${source} ${via} ${mac}`;
}
