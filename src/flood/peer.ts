import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, SECOND } from '../clients/time.js';
import type { PeerStream } from '../ports.js';
import { AckWatch } from './ack-watch.js';
import type { Dial } from './dial.js';
import type { Session, SessionState } from './session.js';

/** Bytes taken from a session at once, and at most in one go before others have their turn. */
const CHUNK = 16 * 1024;
const TURN = 64 * 1024;

/** A peer that has not read for this long is given up. */
const STALL: Millis = 60 * SECOND;

/** What a person is shown of a session. */
export interface PeerStatus {
  /** Address and port, or the endpoint as it was configured where no connection is up. */
  readonly remote: string;
  readonly direction: 'in' | 'out';
  /** `waiting`: until the next attempt; `elsewhere`: a connection to the same node is up already. */
  readonly state: SessionState | 'waiting' | 'dialling' | 'elsewhere';
  /** `sroamd`: anything that knows the basic protocol only. Unknown before the handshake. */
  readonly kind: 'roaming' | 'sroamd' | undefined;
  readonly node: NodeId | undefined;
  readonly hostname: string | undefined;
  /** Whether changes do not go over it, since they come from link to link anyway. */
  readonly standby: boolean;
  /** Whether the session is up, but what the peer was sent is not acknowledged, or not for long enough again. */
  readonly unresponsive: boolean;
  /** Smoothed round-trip time in milliseconds. */
  readonly rtt: Millis | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** Seconds since the connection was made, or since the present wait began. */
  readonly since: number;
  /** Why the last attempt failed or the last session ended. */
  readonly error: string | undefined;
}

/** A session on its stream. */
export class Peer {
  bytesIn = 0;
  bytesOut = 0;
  #blockedSince: Instant | undefined;
  readonly #acks = new AckWatch();
  /** When the session came up. */
  upSince: Instant | undefined;
  /** There was no path to the node for a while. */
  cutOff = false;
  /** Another connection is being made in place of this one. */
  renewing = false;

  constructor(
    readonly session: Session,
    readonly stream: PeerStream,
    /** The dial that made the connection; undefined: the peer did. */
    readonly dial: Dial | undefined,
    /** Of the connections that this node has dialled. */
    readonly connection: number,
    readonly since: Instant,
  ) {}

  /** Whether records flow, so that this is a session with the node of that id. */
  isUp(node?: NodeId): boolean {
    return this.session.state === 'up' && (node === undefined || this.session.node === node);
  }

  /** Whether something may be lost, or on its way to us, on a connection whose path was another before. */
  get isDoubtful(): boolean {
    return (this.cutOff && !this.session.standby) || !this.stream.acknowledged;
  }

  /** See {@link AckWatch.unresponsive}. */
  get unresponsive(): boolean {
    return this.#acks.unresponsive;
  }

  /** Writes what the session has to give, as far as the peer keeps up and it is not for too long. */
  pump(now: Instant): void {
    for (let sent = 0; sent < TURN && this.#blockedSince === undefined && this.session.pending; ) {
      const bytes = this.session.take(CHUNK, now);
      if (bytes === undefined) return;
      sent += bytes.length;
      this.bytesOut += bytes.length;
      if (!this.stream.write(bytes)) this.#blockedSince = now;
      this.#acks.sent(now);
    }
  }

  drained(): void {
    this.#blockedSince = undefined;
  }

  /** Returns whether {@link unresponsive} has changed. */
  poll(now: Instant): boolean {
    if (this.#blockedSince !== undefined && now >= after(this.#blockedSince, STALL)) {
      this.session.abort(`has not read for ${STALL / SECOND} s`);
    } else this.session.poll(now, () => this.#isAcknowledged(now));
    return this.session.state === 'up' && this.#acks.poll(now, () => this.stream);
  }

  #isAcknowledged(now: Instant): boolean {
    const { acknowledged } = this.stream;
    if (acknowledged) this.#acks.acknowledged(now);
    return acknowledged;
  }

  nextDeadline(now: Instant): Instant | undefined {
    const acks = this.session.state === 'up' ? this.#acks.nextDeadline : undefined;
    const deadline = earliest(this.session.nextDeadline(), acks);
    if (this.#blockedSince !== undefined) return earliest(deadline, after(this.#blockedSince, STALL));
    return this.session.pending ? now : deadline;
  }

  /** The session has ended: the last words, and the end of the stream. */
  finish(now: Instant): void {
    if (this.#blockedSince === undefined) {
      this.pump(now);
      this.stream.end();
    } else this.stream.destroy();
  }

  status(now: Instant): PeerStatus {
    const { session } = this;
    const known = session.state !== 'handshake';
    return {
      remote: this.stream.remote,
      direction: this.dial === undefined ? 'in' : 'out',
      state: session.state,
      kind: known ? (session.extended ? 'roaming' : 'sroamd') : undefined,
      node: session.node,
      hostname: session.peer?.hostname,
      standby: session.standby,
      unresponsive: session.state === 'up' && this.unresponsive,
      rtt: session.rtt,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      recordsIn: session.updatesIn,
      recordsOut: session.updatesOut,
      since: (now - this.since) / SECOND,
      error: this.dial?.lastError,
    };
  }
}
