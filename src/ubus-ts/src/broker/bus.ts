import { SystemObject, encodeAttributes, encodeFrame, firstDynamicId, maxBlobLength, MessageType } from '../codec/message.js';
import type { Attributes, Frame } from '../codec/message.js';
import { attributeHeader } from '../codec/blob.js';
import type { MessageReader } from '../codec/message-reader.js';
import { encodeMonitor } from '../codec/monitor.js';
import { Acl, type Credentials } from './acl.js';
import type { Pattern } from './pattern.js';
import { SortedList } from './sorted-list.js';
import type { Connection, TxQueue } from './tx-queue.js';

/** What a random id is wanted for. */
export type IdKind = 'client' | 'object' | 'type';

/** A source of numbers from 0 to 2^32 - 1; those that are taken or reserved are passed over. */
export type RandomId = (kind: IdKind) => number;

/** One connection. */
export interface Client {
  readonly id: number;
  readonly credentials: Credentials;
  readonly connection: Connection;
  readonly reader: MessageReader;
  readonly tx: TxQueue;
  /** Oldest first. */
  readonly objects: Set<BusObject>;
  /** LOOKUPs that wait until `tx` is idle. */
  lookups: PendingLookup[];
  /** Memory that `lookups` take, in bytes. */
  lookupCost: number;
  /** False once the client is on its way out: what is sent to it then goes nowhere. */
  open: boolean;
}

/** A LOOKUP that was not answered to the end, because the client had not read what came before. */
export interface PendingLookup {
  readonly request: Pick<Frame, 'seq' | 'peer'>;
  /** What it asks for; undefined: everything. */
  readonly path: string | undefined;
  /** The key of the path at which a LOOKUP of all objects goes on. */
  next: string;
}

/** An object that a client has added. */
export interface BusObject {
  readonly id: number;
  readonly owner: Client;
  /** Undefined for an anonymous object. */
  readonly path: string | undefined;
  readonly type: ObjectType | undefined;
  /** Subscriptions to this object, oldest first. */
  readonly subscribers: Set<Subscription>;
  /** Subscriptions that this object has made, oldest first. */
  readonly targets: Set<Subscription>;
  readonly patterns: Set<EventPattern>;
  /** Counts what the broker itself tells the owner about the object. */
  seq: number;
}

/** A signature, shared by the objects that were added with its id. */
export interface ObjectType {
  readonly id: number;
  readonly methods: readonly Method[];
  /** Number of objects that have this type; it goes with the last one. */
  objects: number;
}

/** One method of a signature. */
export interface Method {
  readonly name: string;
  /** The whole field, as LOOKUP shows it. */
  readonly bytes: Uint8Array;
}

/** One object's wish for another one's notifications. */
export interface Subscription {
  readonly subscriber: BusObject;
  readonly target: BusObject;
}

/** Events that an object listens to. */
export interface EventPattern extends Pattern {
  readonly object: BusObject;
}

/** A path, by its `byteKey`, and the object that is there. */
export interface PathEntry {
  readonly key: string;
  readonly object: BusObject;
}

/** The broker's own objects have no owner. */
export type AnyObject = BusObject | { readonly id: number; readonly owner: undefined };

const systemObjects = new Map<number, AnyObject>(Object.values(SystemObject).map(id => [id, { id, owner: undefined }]));

/** Everything that the broker knows, and the one way out for messages. */
export class Bus {
  readonly clients = new Map<number, Client>();
  readonly objects = new Map<number, BusObject>();
  readonly types = new Map<number, ObjectType>();
  readonly paths = new SortedList<PathEntry>();
  readonly patterns = new SortedList<EventPattern>();
  /** Clients that see all messages, each with the number of the last one they were sent. */
  readonly monitors = new Map<Client, { seq: number }>();
  acl = new Acl();
  /** How often ACL files were read. */
  aclSequence = 0;
  /** Counts the events sent. */
  eventSequence = 0;
  readonly #random: RandomId;

  constructor(random: RandomId) {
    this.#random = random;
  }

  /** An id that `taken` does not have: the random number, or the next after it that is free. */
  newId(kind: IdKind, taken: ReadonlyMap<number, unknown>): number {
    let id = this.#random(kind) >>> 0;
    while (id < firstDynamicId || taken.has(id)) id = (id + 1) >>> 0;
    return id;
  }

  /** Any object, the broker's own among them. */
  find(id: number): AnyObject | undefined {
    return systemObjects.get(id) ?? this.objects.get(id);
  }

  /** Sends a client a message of the broker's own. The order of `attrs` is the order on the wire. */
  send(client: Client, type: number, seq: number, peer: number, attrs: Attributes): void {
    this.forward(client, { version: 0, type, seq: seq & 0xffff, peer, outer: 0, body: encodeAttributes(attrs) });
  }

  /** Sends a client a result for its request. */
  sendData(client: Client, request: Pick<Frame, 'seq' | 'peer'>, attrs: Attributes): void {
    this.send(client, MessageType.data, request.seq, request.peer, attrs);
  }

  /** Sends a client the end of its request. */
  sendStatus(client: Client, request: Pick<Frame, 'seq' | 'peer'>, status: number): void {
    this.send(client, MessageType.status, request.seq, request.peer, { status });
  }

  /** Sends a client a message as it is, and shows it to the monitors. */
  forward(client: Client, frame: Frame): void {
    this.monitor(client, frame, true);
    transmit(client, frame);
  }

  /**
   * Shows the monitors a message (ubusd_monitor.c).
   * @param sent true: it goes to `client`; false: it came from there
   */
  monitor(client: Client, frame: Frame, sent: boolean): void {
    if (this.monitors.size === 0) return;
    const { peer, seq, type, body } = frame;
    const record = encodeMonitor({ client: client.id, peer, seq, type, send: sent, body });
    for (const [watcher, state] of this.monitors) {
      state.seq = (state.seq + 1) & 0xffff;
      transmit(watcher, { version: 0, type: MessageType.monitor, seq: state.seq, peer: 0, outer: 0, body: record });
    }
  }
}

/** The broker may have added to what a client sent; a message that has so become too long for any reader is dropped. */
function transmit(client: Client, frame: Frame): void {
  if (!client.open) return;
  if (attributeHeader + frame.body.length > maxBlobLength) client.tx.dropped++;
  else client.tx.send(encodeFrame(frame));
}
