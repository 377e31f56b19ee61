import type { Attributes, Frame } from '../codec/message.js';
import { Status } from '../errors.js';
import type { Bus, BusObject, Client, ObjectType } from './bus.js';
import { sendObjectEvent } from './events.js';
import { readSignature } from './fields.js';
import { byteKey } from './pattern.js';
import { newestFirst, tellTargetGone, unsubscribe } from './subscriptions.js';

/** ADD_OBJECT: answers with the object's id, and with that of its type if a signature was given. */
export function addObject(bus: Bus, client: Client, frame: Frame, attrs: Attributes): number {
  const { objpath: path } = attrs;
  if (path !== undefined) {
    if (!bus.acl.allows(client.credentials, 'publish', path)) return Status.invalidArgument;
    if (bus.paths.get(byteKey(path)) !== undefined) return Status.invalidArgument;
  }
  const object = createObject(bus, client, attrs);
  const told = attrs.signature !== undefined && object.type !== undefined;
  bus.sendData(client, frame, { objid: object.id, ...(told && { objtype: object.type.id }) });
  return Status.ok;
}

/** REMOVE_OBJECT: answers with the object's id, and with that of its type if that goes with it. */
export function removeObject(bus: Bus, client: Client, frame: Frame, attrs: Attributes): number {
  if (attrs.objid === undefined) return Status.invalidArgument;
  const object = bus.find(attrs.objid);
  if (object === undefined) return Status.notFound;
  if (object.owner !== client) return Status.permissionDenied;
  const last = object.type?.objects === 1;
  bus.sendData(client, frame, { objid: object.id, ...(last && { objtype: object.type.id }) });
  freeObject(bus, object);
  return Status.ok;
}

/** Takes an object off the bus and tells those whom it concerns, in ubusd's order (ubusd_obj.c, ubusd_free_object). */
export function freeObject(bus: Bus, object: BusObject): void {
  for (const subscription of newestFirst(object.targets)) unsubscribe(bus, subscription);
  for (const subscription of newestFirst(object.subscribers)) {
    tellTargetGone(bus, subscription);
    unsubscribe(bus, subscription);
  }
  for (const pattern of object.patterns) bus.patterns.delete(pattern);
  if (object.path !== undefined) {
    sendObjectEvent(bus, 'remove', object, object.path);
    bus.paths.delete(bus.paths.get(byteKey(object.path))!);
  }
  object.owner.objects.delete(object);
  bus.objects.delete(object.id);
  if (object.type !== undefined && --object.type.objects === 0) bus.types.delete(object.type.id);
}

function createObject(bus: Bus, client: Client, { objpath, objtype, signature }: Attributes): BusObject {
  let type: ObjectType | undefined;
  if (objtype !== undefined) type = bus.types.get(objtype);
  else if (signature !== undefined) type = createType(bus, signature);
  const object: BusObject = {
    id: bus.newId('object', bus.objects),
    owner: client,
    path: objpath,
    type,
    subscribers: new Set(),
    targets: new Set(),
    patterns: new Set(),
    seq: 0,
  };
  if (type !== undefined) type.objects++;
  bus.objects.set(object.id, object);
  client.objects.add(object);
  if (objpath !== undefined) {
    bus.paths.add({ key: byteKey(objpath), object });
    sendObjectEvent(bus, 'add', object, objpath);
  }
  return object;
}

/** Undefined for a signature that ubusd does not take: the object is added all the same, without a type. */
function createType(bus: Bus, signature: Uint8Array): ObjectType | undefined {
  const methods = readSignature(signature);
  if (methods === undefined) return undefined;
  const type = { id: bus.newId('type', bus.types), methods, objects: 0 };
  bus.types.set(type.id, type);
  return type;
}
