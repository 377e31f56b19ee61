import type { Attributes, Frame } from '../codec/message.js';
import { Status } from '../errors.js';
import type { Bus, BusObject, Client, Method, PendingLookup } from './bus.js';
import { byteKey } from './pattern.js';
import { maxQueueLength } from './tx-queue.js';

/** What a LOOKUP that waits takes in memory besides its bytes: an estimate, so that very many small ones count as well. */
const pendingCost = 256;

/**
 * LOOKUP: a result for each object that is meant and that the caller may see. While the client has not read what it was sent
 * before, the LOOKUP waits; then there is no status yet.
 */
export function lookup(bus: Bus, client: Client, { seq, peer }: Frame, { objpath: path }: Attributes): number | undefined {
  const pending = { request: { seq, peer }, path, next: '' };
  const status = client.tx.idle ? answer(bus, client, pending) : undefined;
  if (status === undefined) {
    client.lookups.push(pending);
    client.lookupCost += cost(pending);
  }
  return status;
}

/** Goes on with the LOOKUPs that wait; to be called when the client's queue has emptied. */
export function resumeLookups(bus: Bus, client: Client): void {
  let done = 0;
  for (const pending of client.lookups) {
    const status = answer(bus, client, pending);
    if (status === undefined) break;
    bus.sendStatus(client, pending.request, status);
    client.lookupCost -= cost(pending);
    done++;
  }
  client.lookups.splice(0, done);
}

/** Whether so many LOOKUPs wait that the client should not send any more. ubusd has no such limit. */
export function tooManyLookups(client: Client): boolean {
  return client.lookupCost > maxQueueLength;
}

function cost({ path }: PendingLookup): number {
  return pendingCost + (path?.length ?? 0);
}

/** Undefined if the queue filled before the end; `pending` then says where to go on. */
function answer(bus: Bus, client: Client, pending: PendingLookup): number | undefined {
  if (pending.path === undefined) return answerAll(bus, client, pending);
  const path = byteKey(pending.path);
  if (path === '') return Status.invalidArgument;
  if (!path.endsWith('*')) {
    const entry = bus.paths.get(path);
    if (entry === undefined) return Status.notFound;
    sendObject(bus, client, pending.request, entry.object);
    return Status.ok;
  }
  let found = false;
  for (const { object } of bus.paths.startingWith(path.slice(0, -1))) {
    found = true;
    sendObject(bus, client, pending.request, object);
  }
  return found ? Status.ok : Status.notFound;
}

function answerAll(bus: Bus, client: Client, pending: PendingLookup): number | undefined {
  for (const { key, object } of bus.paths.from(pending.next)) {
    if (!client.tx.idle) {
      pending.next = key;
      return undefined;
    }
    sendObject(bus, client, pending.request, object);
  }
  return Status.ok;
}

/** Methods that the caller may not call do not show, nor does an object of which no method is left. */
function sendObject(bus: Bus, client: Client, request: PendingLookup['request'], { id, path, type }: BusObject): void {
  if (path === undefined || type === undefined) return;
  const methods = type.methods.filter(({ name }) => bus.acl.allowsMethod(client.credentials, path, name));
  if (methods.length === 0 && type.methods.length > 0) return;
  bus.sendData(client, request, { objpath: path, objid: id, objtype: type.id, signature: joined(methods) });
}

function joined(methods: readonly Method[]): Uint8Array {
  const bytes = new Uint8Array(methods.reduce((length, method) => length + method.bytes.length, 0));
  let offset = 0;
  for (const method of methods) {
    bytes.set(method.bytes, offset);
    offset += method.bytes.length;
  }
  return bytes;
}
