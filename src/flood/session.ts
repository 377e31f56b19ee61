/**
 * The flooding session with one peer, from handshake to goodbye: a machine that is given bytes and the time, and hands
 * out bytes and events. It owns no socket and no timer.
 *
 *     handshake -> (hello, between two of ours) -> up -> (closing: goodbye said, not answered yet) -> closed
 *
 * Once up, a sroamd is sent the whole database; two of ours compare digests and exchange what differs, when they meet
 * and whenever a keepalive shows that their databases have come apart. A session that stands by does only that, and less
 * often.
 */
import type { NodeId } from '../clients/node-id.js';
import type { Record, RecordKey } from '../clients/record.js';
import { LONGEST_LIFETIME, meaningOf } from '../clients/record.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, SECOND } from '../clients/time.js';
import { Writer } from '../net/bytes.js';
import { ComparisonPace } from './comparison-pace.js';
import type { DigestTree } from './digest.js';
import { ROOT } from './digest.js';
import type { ByeReason, Hello, Tlv, Update } from './frame.js';
import {
  CAPABILITY_EXTENDED,
  decodeHandshake,
  decodeTlv,
  encodeHandshake,
  HANDSHAKE_BYTES,
  isBadInput,
  PAD,
  TlvSplitter,
  writeTlv,
} from './frame.js';
import type { KeepaliveTiming } from './keepalive.js';
import { Keepalive } from './keepalive.js';
import { Outbox } from './outbox.js';
import { answerDigest, answerSummary } from './reconcile.js';
import type { Applied, Replica } from './replica.js';

export type SessionState = 'handshake' | 'hello' | 'up' | 'closing' | 'closed';

export interface SessionTiming extends KeepaliveTiming {
  /** From the start until the peer has shown what it is. */
  readonly handshake: Millis;
  /** How long a goodbye may stay unanswered. */
  readonly bye: Millis;
  /**
   * After live changes, if nothing else has followed them and they are not acknowledged, one byte of padding does. Without
   * it a lost segment that no other follows is sent again only when TCP's timer expires, 200 ms later at the least; the
   * acknowledgement of the next one shows the loss within a round trip (RACK, RFC 8985).
   */
  readonly trailer: Millis;
}

export const DEFAULT_TIMING: SessionTiming = {
  handshake: 10 * SECOND,
  keepalive: 10 * SECOND,
  silence: 25 * SECOND,
  bye: 2 * SECOND,
  trailer: 20,
};

/** Why a record or a TLV was not taken; each counted. */
export type DropCause = 'empty key' | 'invalid record' | 'dead record' | 'database full';

export interface SessionEvents {
  /** The peer has told its id. An answer is the reason not to talk to it. */
  hello(hello: Hello): ByeReason | undefined;
  /** Records flow from now on. */
  up(): void;
  /** A valid record has come: to be merged, and passed on if it is news. */
  record(record: Record): Applied;
  dropped(cause: DropCause, detail: string): void;
  /** Last of all, once: the stream is to be ended after what {@link Session.take} still gives. */
  closed(reason: string | undefined): void;
}

export interface SessionOptions {
  /** What we tell of ourselves. */
  readonly hello: Omit<Hello, 'type'>;
  readonly replica: Replica;
  readonly tree: DigestTree;
  readonly timing: SessionTiming;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #splitter = new TlvSplitter();
  readonly #outbox: Outbox;
  /** TLVs and handshake that go out ahead of all else; never many. */
  #control: Tlv[] = [];
  #handshakeDue = true;
  #opening = new Uint8Array(0);
  #state: SessionState = 'handshake';
  #extended = false;
  #peer: Hello | undefined;
  #deadline: Instant | undefined;
  readonly #keepalive: Keepalive;
  /** When padding follows what was written last, and that it is due. */
  #trailerAt: Instant | undefined;
  #trailerDue = false;
  #standby = false;
  readonly #comparisons: ComparisonPace;
  #byeDue: ByeReason | undefined;
  /** Closed by ourselves towards a sroamd, which knows no goodbye: what waits is still sent. */
  #mute = false;
  /** Records received, before validation. */
  updatesIn = 0;

  constructor(options: SessionOptions, events: SessionEvents, now: Instant) {
    this.#options = options;
    this.#events = events;
    this.#outbox = new Outbox(options.replica, options.tree);
    this.#keepalive = new Keepalive(options.timing, now);
    this.#comparisons = new ComparisonPace(options.timing.keepalive / 2, now);
    this.#deadline = after(now, options.timing.handshake);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Whether the peer is of our kind rather than a sroamd; known from the handshake on. */
  get extended(): boolean {
    return this.#extended;
  }

  /** What a peer of our kind has told of itself. */
  get peer(): Hello | undefined {
    return this.#peer;
  }

  get node(): NodeId | undefined {
    return this.#peer?.node;
  }

  /** Whether changes are not sent, since the peer learns of them by other ways. What it has missed is found afterwards. */
  get standby(): boolean {
    return this.#standby;
  }

  standBy(standby: boolean, now: Instant): void {
    if (this.#standby && !standby && this.#state === 'up') this.#outbox.compare(ROOT);
    this.#standby = standby;
    this.#keepalive.relax(standby, now);
  }

  /** Why the peer said goodbye, if it did. */
  farewell: ByeReason | undefined;

  #parting: ByeReason | undefined;

  /** Why we said goodbye, if we did. */
  get parting(): ByeReason | undefined {
    return this.#parting;
  }

  /** Smoothed round-trip time; undefined until measured, and from a sroamd. */
  get rtt(): Millis | undefined {
    return this.#keepalive.rtt;
  }

  get updatesOut(): number {
    return this.#outbox.updates;
  }

  /** Records that wait for the peer. */
  get waiting(): number {
    return this.#outbox.waiting;
  }

  /**
   * Has the present version of a record sent; where it `canWait`, to a peer of our kind with the next keepalive. Before
   * the session is up the first exchange covers it.
   */
  flood(key: RecordKey, canWait = false): void {
    if (this.#state !== 'up' || this.#standby) return;
    if (canWait && this.#extended) this.#outbox.extend(key);
    else this.#outbox.change(key);
  }

  receive(bytes: Uint8Array, now: Instant): void {
    if (this.#state === 'closed') return;
    this.#keepalive.heard(now);
    try {
      const rest = this.#state === 'handshake' ? this.#receiveHandshake(bytes) : bytes;
      if (rest === undefined) return;
      for (const { type, body } of this.#splitter.split(rest)) {
        const tlv = decodeTlv(type, body);
        if (tlv !== undefined) this.#receiveTlv(tlv, now);
        // The state has changed behind the compiler's back.
        if ((this.#state as SessionState) === 'closed') return;
      }
    } catch (error) {
      if (!isBadInput(error)) throw error;
      this.#close(`protocol error: ${error.message}`);
    }
  }

  /** The bytes behind the handshake, undefined where it is not complete yet. */
  #receiveHandshake(bytes: Uint8Array): Uint8Array | undefined {
    const missing = HANDSHAKE_BYTES - this.#opening.length;
    this.#opening = Uint8Array.of(...this.#opening, ...bytes.subarray(0, missing));
    if (this.#opening.length < HANDSHAKE_BYTES) return undefined;
    this.#extended = (decodeHandshake(this.#opening) & CAPABILITY_EXTENDED) !== 0;
    if (this.#extended) {
      this.#state = 'hello';
      this.#control.push({ type: 'hello', ...this.#options.hello });
    } else {
      this.#deadline = undefined;
      this.#state = 'up';
      this.#outbox.sendAll(ROOT);
      this.#events.up();
    }
    return bytes.subarray(missing);
  }

  #receiveTlv(tlv: Tlv, now: Instant): void {
    if (this.#state === 'hello') {
      if (tlv.type === 'hello') this.#receiveHello(tlv, now);
      else if (tlv.type === 'bye') this.#receiveBye(tlv.reason);
      else this.#close(`protocol error: ${tlv.type} before hello`);
      return;
    }
    if (tlv.type === 'update') {
      this.#receiveUpdate(tlv, now);
      return;
    }
    // From a sroamd such types are noise.
    if (this.#extended) this.#receiveExtended(tlv, now);
  }

  #receiveExtended(tlv: Exclude<Tlv, Update>, now: Instant): void {
    switch (tlv.type) {
      case 'ping':
        this.#control = this.#control.filter(({ type }) => type !== 'pong');
        this.#control.push({ type: 'pong', token: tlv.token });
        if (tlv.root !== undefined) this.#compareRoot(tlv.root, now);
        return;
      case 'pong':
        this.#keepalive.pong(tlv.token, now);
        return;
      case 'bye':
        this.#receiveBye(tlv.reason);
        return;
      case 'byeAck':
        if (this.#state === 'closing' && this.#byeDue === undefined) this.#close(undefined);
        return;
      case 'hello':
        this.#close('protocol error: a second hello');
        return;
      default:
        // After the goodbye there is nothing to repair any more.
        if (this.#state === 'up') this.#receiveComparison(tlv, now);
    }
  }

  #receiveComparison(tlv: Extract<Tlv, { type: 'digest' | 'summary' | 'request' }>, now: Instant): void {
    const { tree } = this.#options;
    if ('index' in tlv && tlv.index === ROOT && !this.#comparisons.mayBegin(now)) return;
    this.#comparisons.goesOn(now);
    switch (tlv.type) {
      case 'digest':
        answerDigest(tree, this.#outbox, tlv.index, tlv.hashes);
        return;
      case 'summary':
        answerSummary(tree, this.#outbox, tlv.index, tlv.entries);
        return;
      case 'request':
        for (const hash of tlv.keyHashes) for (const key of tree.keysOf(hash)) this.#outbox.repair(key);
    }
  }

  #receiveHello(hello: Hello, now: Instant): void {
    this.#peer = hello;
    const refusal = this.#events.hello(hello);
    if (refusal !== undefined) {
      this.bye(refusal, now);
      return;
    }
    this.#state = 'up';
    this.#deadline = undefined;
    this.#keepalive.start(now);
    this.#startComparison(now);
    this.#events.up();
  }

  /** What the peer has in its tree after all that it has sent so far. */
  #compareRoot(root: number, now: Instant): void {
    const busy = !this.#outbox.idle || this.#comparisons.isUnderWay(now);
    if (this.#state !== 'up' || root === this.#options.tree.root || busy) return;
    if (this.#comparisons.mayBegin(now)) this.#startComparison(now);
  }

  /** One side asks, or all would be compared twice. */
  #startComparison(now: Instant): void {
    this.#comparisons.goesOn(now);
    if (this.#options.hello.node > this.#peer!.node) this.#outbox.compare(ROOT);
  }

  #receiveUpdate({ key, value, seqno, lifetime }: Update, now: Instant): void {
    this.updatesIn++;
    if (key.length === 0) {
      this.#events.dropped('empty key', 'a record without a key');
      return;
    }
    try {
      meaningOf(key, value);
    } catch (error) {
      if (!isBadInput(error)) throw error;
      this.#refuse('invalid record', `record of type ${key.charCodeAt(0)}: ${error.message}`);
      return;
    }
    // A sroamd never forgets: what has died and been deleted here is not to come back.
    if (lifetime === 0 && this.#options.replica.get(key) === undefined) {
      this.#events.dropped('dead record', 'a record past its lifetime');
      return;
    }
    const expires = after(now, Math.min(lifetime * SECOND, LONGEST_LIFETIME));
    const applied = this.#events.record({ key, value, seqno, expires });
    if (applied.kind === 'refused') this.#refuse('database full', 'no room for another record');
    else if (applied.kind === 'older') this.#outbox.change(key);
    else if (applied.record.seqno === seqno && applied.record.value === value) this.#outbox.has(key);
  }

  #refuse(cause: DropCause, detail: string): void {
    this.#comparisons.refused();
    this.#events.dropped(cause, detail);
  }

  #receiveBye(reason: ByeReason): void {
    this.farewell = reason;
    this.#control.push({ type: 'byeAck' });
    this.#close(`the peer said goodbye: ${reason}`);
  }

  /** Says goodbye, after what is to be flooded at this moment; the session closes once it is answered. */
  bye(reason: ByeReason, now: Instant): void {
    if (this.#state === 'closed' || this.#state === 'closing') return;
    this.#outbox.release();
    this.#outbox.changesOnly();
    this.#parting = reason;
    if (this.#peer === undefined) {
      this.#mute = this.#state === 'up';
      this.#close(reason);
      return;
    }
    this.#state = 'closing';
    this.#byeDue = reason;
    this.#deadline = after(now, this.#options.timing.bye);
  }

  /** Ends the session without a goodbye: the stream is gone, or the peer does not read. */
  abort(reason: string | undefined): void {
    this.#close(reason);
  }

  #close(reason: string | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#deadline = undefined;
    this.#events.closed(reason);
  }

  /** `acknowledged`: whether the peer is known to have received all that {@link take} gave. */
  poll(now: Instant, acknowledged = () => false): void {
    if (this.#deadline !== undefined && now >= this.#deadline) {
      this.#close(this.#state === 'closing' ? undefined : 'no handshake in time');
    } else if (this.#state === 'up') {
      if (this.#trailerAt !== undefined && now >= this.#trailerAt) {
        this.#trailerAt = undefined;
        this.#trailerDue = !acknowledged();
      }
      const silence = this.#keepalive.poll(now);
      if (silence !== undefined) this.#close(`nothing heard for ${Math.round(silence / SECOND)} s`);
    }
  }

  /** When {@link poll} has something to do. */
  nextDeadline(): Instant | undefined {
    return this.#state === 'up' ? earliest(this.#keepalive.nextDeadline, this.#trailerAt) : this.#deadline;
  }

  get #flowing(): boolean {
    return this.#state === 'up' || this.#state === 'closing' || this.#mute;
  }

  /** Whether {@link take} has something to give. */
  get pending(): boolean {
    return (
      this.#handshakeDue ||
      this.#control.length > 0 ||
      this.#keepalive.pending ||
      this.#trailerDue ||
      this.#byeDue !== undefined ||
      (this.#flowing && !this.#outbox.idle)
    );
  }

  /** What is to be written next: about `limit` bytes at most, undefined where there is nothing. */
  take(limit: number, now: Instant): Uint8Array | undefined {
    const w = new Writer();
    const live = this.#state === 'up' && this.#outbox.live;
    if (this.#handshakeDue) {
      this.#handshakeDue = false;
      w.put(encodeHandshake(CAPABILITY_EXTENDED));
    }
    for (const tlv of this.#control.splice(0)) writeTlv(w, tlv);
    if (this.#keepalive.pending) {
      this.#writePing(w, now);
      this.#outbox.release();
    }
    if (this.#flowing) this.#outbox.drain(w, limit, now);
    if (this.#byeDue !== undefined && this.#outbox.idle) {
      writeTlv(w, { type: 'bye', reason: this.#byeDue });
      this.#byeDue = undefined;
    }
    if (w.length === 0 && this.#trailerDue) w.u8(PAD);
    this.#trailerDue = false;
    if (w.length === 0) return undefined;
    this.#trailerAt = live ? after(now, this.#options.timing.trailer) : undefined;
    return w.done();
  }

  #writePing(w: Writer, now: Instant): void {
    // While more is to come the databases differ anyway.
    const root = this.#outbox.idle ? this.#options.tree.root : undefined;
    writeTlv(w, { type: 'ping', token: this.#keepalive.ping(now), root });
  }
}
