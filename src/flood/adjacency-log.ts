import type { NodeId } from '../clients/node-id.js';
import type { Instant } from '../clients/time.js';
import type { Logger } from '../ports.js';
import { LineQuota } from './complaints.js';
import type { Dial } from './dial.js';
import type { ByeReason } from './frame.js';
import type { Peer } from './peer.js';

/** Reasons for which sessions end in a network that is well. */
const WISHED: ReadonlySet<ByeReason> = new Set<ByeReason>(['removed', 'duplicate', 'full']);

/** Nodes that are remembered as told of, and endpoints. */
const MAX_NODES = 256;

/**
 * Sessions that come and go, for people. Which nodes have sessions with which is chosen again all the time, so what is told
 * is that of nodes: once that one is up, and that it is down where it has no session any more and nobody wished that. All
 * else is for debugging.
 */
export class AdjacencyLog {
  readonly #lines: LineQuota;
  /** The instances of nodes of which was told that they are up. A node that is started anew is told of again. */
  readonly #told = new Map<NodeId, bigint>();
  /** By endpoint, the failures of dialling that were told of since a session came of it. */
  readonly #failures = new Map<string, Set<string>>();

  constructor(private readonly log: Logger) {
    this.#lines = new LineQuota(log);
  }

  /** Dialling an endpoint has failed, as it may for as long as the record of a router that is dead lives. */
  failed({ name }: Dial, reason: string): void {
    const told = this.#failures.get(name) ?? new Set();
    if (told.has(reason)) return;
    if (this.#failures.size >= MAX_NODES) this.#failures.clear();
    this.#failures.set(name, told.add(reason));
    this.log.warn(`peer ${name}: ${reason}`);
  }

  /** Returns whether that is news of the node. */
  up({ session: { peer: hello }, stream, dial }: Peer, now: Instant): boolean {
    if (dial !== undefined) this.#failures.delete(dial.name);
    const who = hello === undefined ? 'a sroamd' : `node ${hello.node} ${hello.hostname}`.trimEnd();
    const line = `peer ${stream.remote} is up: ${who}`;
    if (hello !== undefined) {
      if (this.#told.get(hello.node) === hello.instance) return this.#inPassing(line);
      if (this.#told.size >= MAX_NODES) this.#told.clear();
      this.#told.set(hello.node, hello.instance);
    }
    this.#lines.info(line, now);
    return true;
  }

  /** Returns whether that is news of the node. `hasOther`: there is another session with it. */
  down({ session, stream }: Peer, reason: string | undefined, hasOther: boolean, now: Instant): boolean {
    const { node, parting, farewell } = session;
    const why = parting === undefined ? (reason ?? 'connection closed') : `goodbye said: ${parting}`;
    const line = `peer ${stream.remote} is down: ${why}`;
    if (hasOther || parting !== undefined || (farewell !== undefined && WISHED.has(farewell))) return this.#inPassing(line);
    if (node !== undefined) this.#told.delete(node);
    this.#lines.info(line, now);
    return true;
  }

  /** A peer no longer acknowledges what it is sent, or does so again. */
  responsive({ stream, unresponsive }: Peer): void {
    this.log.debug(`peer ${stream.remote} acknowledges ${unresponsive ? 'nothing' : 'again'}`);
  }

  #inPassing(line: string): false {
    this.log.debug(line);
    return false;
  }
}
