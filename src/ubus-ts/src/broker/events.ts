import { encodeFields } from '../codec/blobmsg.js';
import { MessageType, firstDynamicId } from '../codec/message.js';
import { Status } from '../errors.js';
import type { Bus, BusObject, Client } from './bus.js';
import { findField, stringValue, uint32Value } from './fields.js';
import { byteKey, matches, parsePattern } from './pattern.js';

/** Events whose names begin so are the broker's own. */
const reservedPrefix = 'ubus.';

/** A call of object 1, by which clients listen to events and send them. Returns the status to answer with. */
export function callEventObject(bus: Bus, client: Client, method: string, data: Uint8Array | undefined): number {
  if (method === 'register') return register(bus, client, data);
  if (method === 'send') return sendFromClient(bus, client, data);
  return Status.invalidCommand;
}

/** Tells listeners that an object with a path has come, or is about to go. */
export function sendObjectEvent(bus: Bus, change: 'add' | 'remove', object: BusObject, path: string): void {
  const fields = encodeFields([
    { name: 'id', type: 'int32', value: object.id },
    { name: 'path', type: 'string', value: path },
  ]);
  sendEvent(bus, `ubus.object.${change}`, fields);
}

/** Tells listeners that the ACL files were read. */
export function sendAclEvent(bus: Bus): void {
  sendEvent(bus, 'ubus.acl.sequence', encodeFields([{ name: 'sequence', type: 'int32', value: bus.aclSequence }]));
}

function register(bus: Bus, client: Client, data: Uint8Array | undefined): number {
  const id = findField(data, 'object', 'int32');
  const text = findField(data, 'pattern', 'string');
  if (id === undefined || text === undefined) return Status.invalidArgument;
  if (uint32Value(id) < firstDynamicId) return Status.permissionDenied;
  const object = bus.objects.get(uint32Value(id));
  if (object === undefined) return Status.notFound;
  const pattern = stringValue(text);
  if (object.owner !== client || pattern === '') return Status.permissionDenied;
  const allowed = bus.acl.allows(client.credentials, 'listen', pattern.replace(/\*$/, ''));
  if (!allowed) return Status.permissionDenied;
  const entry = { ...parsePattern(pattern), object };
  object.patterns.add(entry);
  bus.patterns.add(entry);
  return Status.ok;
}

function sendFromClient(bus: Bus, client: Client, data: Uint8Array | undefined): number {
  const id = findField(data, 'id', 'string');
  const payload = findField(data, 'data', 'table');
  if (id === undefined || payload === undefined) return Status.invalidArgument;
  const name = stringValue(id);
  if (name.startsWith(reservedPrefix)) return Status.permissionDenied;
  if (!bus.acl.allows(client.credentials, 'send', name)) return Status.permissionDenied;
  sendEvent(bus, name, payload, client);
  return Status.ok;
}

/** Each listening object gets an event once, however many of its patterns match; objects of the sender do not. */
function sendEvent(bus: Bus, name: string, data: Uint8Array, sender?: Client): void {
  const key = byteKey(name);
  const seen = new Set<BusObject>();
  for (const pattern of bus.patterns) {
    const { object } = pattern;
    if (!matches(pattern, key) || object.owner === sender || seen.has(object)) continue;
    seen.add(object);
    bus.eventSequence++;
    bus.send(object.owner, MessageType.invoke, bus.eventSequence, 0, { objid: object.id, method: name, data });
  }
}
