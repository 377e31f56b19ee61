/** What is told as it happens: notifications of the ubus object, and the history that is kept of them. */
import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, MINUTE } from '../clients/time.js';
import type { Mac } from '../net/mac.js';
import type { Bus } from '../ports.js';
import type { PeerStatus } from './peers.js';
import { viewPeer } from './peers.js';
import type { Viewpoint } from './viewpoint.js';
import type { History } from './history.js';
import { nodeName, viewClient } from './views.js';

/** Two claims that cannot both be right. The details are shown to people and may grow. */
export type Conflict =
  /** Another node says that a client is gone or elsewhere, and it is here. */
  | { readonly kind: 'association'; readonly mac: Mac; readonly node: NodeId | undefined }
  /** A client that two nodes have claimed back and forth: each further claim waits longer. */
  | { readonly kind: 'flap'; readonly mac: Mac; readonly node: NodeId | undefined }
  /** A client says that it has an address of the gateway. */
  | { readonly kind: 'gateway'; readonly mac: Mac; readonly address: string }
  /** A client has an address from another DHCP server on its link. */
  | { readonly kind: 'dhcp'; readonly mac: Mac; readonly address: string }
  /** Another node has the id of this one, or two others have the same. */
  | { readonly kind: 'node'; readonly node: NodeId; readonly remote: string };

/** How long a conflict counts as a problem after it was last seen, and how many do at the most. */
const PROBLEM_TIME: Millis = 10 * MINUTE;
const MAX_PROBLEMS = 20;

export class Reporter {
  /** By line, latest last: when each was last seen. */
  readonly #problems = new Map<string, Instant>();

  constructor(
    private readonly view: Viewpoint,
    private readonly bus: Bus,
  ) {}

  get #history(): History {
    return this.view.history;
  }

  /** The access point here lost a station. */
  left(mac: Mac, now: Instant): void {
    if (this.view.db.client(mac)?.node === this.view.self) this.#history.left(mac, now);
  }

  /** The access point here let a station pass, which the database knows to be `at`. */
  authorized(mac: Mac, at: NodeId | undefined, now: Instant): void {
    this.#history.authorized(mac, at, now);
  }

  /** The database says that a client is elsewhere than before. Notifies `join`, `leave` or `roam`. */
  moved(mac: Mac, from: NodeId | undefined, to: NodeId | undefined): void {
    this.#history.moved(mac, from, to, this.view.now());
    // Afterwards, since a message is made and written: the flood and the kernel's routes do not wait for that.
    void Promise.resolve().then(() => this.#notifyMove(mac, from, to));
  }

  #notifyMove(mac: Mac, from: NodeId | undefined, to: NodeId | undefined): void {
    const { db } = this.view;
    const type = from === undefined ? 'join' : to === undefined ? 'leave' : 'roam';
    this.bus.notify(type, () => {
      const client = db.client(mac);
      const view = client === undefined ? { mac } : viewClient(this.view, client);
      return { ...view, from: from ?? '', from_name: nodeName(db, from) };
    });
  }

  /** All peers have been written the client's claim. */
  flooded(mac: Mac): void {
    if (this.#history.tracing) this.#history.step(mac, 'flooded', this.view.now());
  }

  /** The kernel has the client's routes, or the client has been told about its gateway. */
  served(mac: Mac, step: 'routed' | 'announced'): void {
    this.#history.step(mac, step, this.view.now());
  }

  /** Notifies `peer`: a router has come, by its first flooding session, or gone with its last one. */
  peer(peer: PeerStatus, reason?: string): void {
    this.bus.notify('peer', () => ({ ...viewPeer(this.view.db, peer), ...(reason === undefined ? {} : { reason }) }));
  }

  /** What happened in the last minutes that somebody has to see to, a line each. */
  problems(): string[] {
    const since = after(this.view.now(), -PROBLEM_TIME);
    for (const [line, seen] of this.#problems) if (seen < since) this.#problems.delete(line);
    return [...this.#problems.keys()];
  }

  /**
   * Notifies `conflict`, and returns true, unless the same problem is known. `problem`: the line that says what somebody
   * has to see to; absent where nobody has to.
   */
  conflict(conflict: Conflict, problem?: string): boolean {
    if (problem !== undefined && !this.problem(problem)) return false;
    const node = 'node' in conflict ? (conflict.node ?? '') : '';
    this.bus.notify('conflict', () => ({
      ...conflict,
      ...('node' in conflict ? { node, node_name: nodeName(this.view.db, conflict.node) } : {}),
    }));
    return true;
  }

  /** Somebody has to see to this: a line. Returns whether it is a new one. */
  problem(problem: string): boolean {
    const isNew = !this.problems().includes(problem);
    this.#problems.delete(problem);
    this.#problems.set(problem, this.view.now());
    if (this.#problems.size > MAX_PROBLEMS) this.#problems.delete(this.#problems.keys().next().value!);
    return isNew;
  }
}
