import { MessageReader } from '../codec/message-reader.js';
import { MessageType } from '../codec/message.js';
import type { Attributes, Frame } from '../codec/message.js';
import { MalformedError, Status } from '../errors.js';
import { Acl, type AclRule, type Credentials } from './acl.js';
import { Bus, type Client, type RandomId } from './bus.js';
import { invoke, notify, respond } from './calls.js';
import { sendAclEvent } from './events.js';
import { lookup, resumeLookups, tooManyLookups } from './lookup.js';
import { addObject, freeObject, removeObject } from './objects.js';
import { readRequest } from './request.js';
import { handleSubscribe, handleUnsubscribe, newestFirst } from './subscriptions.js';
import { type Connection, TxQueue } from './tx-queue.js';

/** Handles one request. Returns the status to answer with, undefined if there is none, or not yet. */
type Handler = (bus: Bus, client: Client, frame: Frame, attrs: Attributes) => number | undefined | void;

const handlers = new Map<number, Handler>([
  [MessageType.status, respond],
  [MessageType.data, respond],
  [MessageType.ping, ping],
  [MessageType.lookup, lookup],
  [MessageType.invoke, invoke],
  [MessageType.addObject, addObject],
  [MessageType.removeObject, removeObject],
  [MessageType.subscribe, (bus, client, _, attrs) => handleSubscribe(bus, client, attrs)],
  [MessageType.unsubscribe, (bus, client, _, attrs) => handleUnsubscribe(bus, client, attrs)],
  [MessageType.notify, notify],
]);

/**
 * ubusd without its sockets: bytes of clients in, messages for clients out. Each client is a connection that was opened, delivers
 * chunks and is closed; the handle that `connect` returns stands for it.
 */
export class BrokerCore {
  readonly #bus: Bus;

  /** @param random where the ids of clients, objects and types come from */
  constructor(random: RandomId) {
    this.#bus = new Bus(random);
  }

  /** A client has come: it is sent HELLO. */
  connect(connection: Connection, credentials: Credentials): Client {
    const client: Client = {
      id: this.#bus.newId('client', this.#bus.clients),
      credentials,
      connection,
      reader: new MessageReader(),
      tx: new TxQueue(connection),
      objects: new Set(),
      lookups: [],
      lookupCost: 0,
      open: true,
    };
    this.#bus.clients.set(client.id, client);
    this.#bus.send(client, MessageType.hello, 0, client.id, {});
    return client;
  }

  /** A client has sent something. A message of impossible length ends the connection. */
  receive(client: Client, chunk: Uint8Array): void {
    if (!client.open) return;
    client.reader.push(chunk);
    try {
      for (let frame = client.reader.next(); frame !== undefined; frame = client.reader.next()) this.#handle(client, frame);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.disconnect(client);
      client.connection.close();
      return;
    }
    if (tooManyLookups(client)) client.connection.pause(true);
  }

  /** The system has taken what was written to the client last. */
  writable(client: Client): void {
    if (!client.open) return;
    client.tx.flush();
    if (client.tx.idle) resumeLookups(this.#bus, client);
    if (!tooManyLookups(client)) client.connection.pause(false);
  }

  /** A client has gone: its objects go, newest first. */
  disconnect(client: Client): void {
    if (!client.open) return;
    client.open = false;
    this.#bus.monitors.delete(client);
    for (const object of newestFirst(client.objects)) freeObject(this.#bus, object);
    this.#bus.clients.delete(client.id);
  }

  /** New ACL rules are in force from now on; who listens to `ubus.acl.sequence` is told. */
  setAcl(rules: Iterable<AclRule>): void {
    this.#bus.acl = new Acl(rules);
    this.#bus.aclSequence++;
    sendAclEvent(this.#bus);
  }

  #handle(client: Client, frame: Frame): void {
    this.#bus.monitor(client, frame, false);
    const handler = handlers.get(frame.type);
    const status = handler === undefined ? Status.invalidCommand : handler(this.#bus, client, frame, readRequest(frame));
    if (typeof status === 'number') this.#bus.sendStatus(client, frame, status);
  }
}

/** PING: comes back as it is, but for its type. */
function ping(bus: Bus, client: Client, frame: Frame): number {
  bus.forward(client, { ...frame, type: MessageType.data });
  return Status.ok;
}
