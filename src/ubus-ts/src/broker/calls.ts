import { MessageType, SystemObject } from '../codec/message.js';
import type { Attributes, Frame } from '../codec/message.js';
import { Status } from '../errors.js';
import { callAclObject } from './acl-object.js';
import type { Bus, BusObject, Client } from './bus.js';
import { callEventObject } from './events.js';
import { newestFirst } from './subscriptions.js';

/** INVOKE: passed on to the owner of the object, who answers; no status then. The broker keeps no record of it. */
export function invoke(bus: Bus, client: Client, frame: Frame, attrs: Attributes): number | undefined {
  const { objid, method, data } = attrs;
  if (method === undefined || objid === undefined) return Status.invalidArgument;
  const object = bus.find(objid);
  if (object === undefined) return Status.notFound;
  if (object.owner === undefined) return callSystemObject(bus, client, frame, object.id, method, data);
  if (!bus.acl.allowsMethod(client.credentials, object.path, method)) return Status.permissionDenied;
  forwardInvoke(bus, client, object, frame.seq, {}, method, data);
  return undefined;
}

/** NOTIFY: the owner learns who is subscribed, unless it wants no reply; then each subscriber gets an INVOKE. */
export function notify(bus: Bus, client: Client, frame: Frame, attrs: Attributes): number | undefined {
  const { objid, method, data } = attrs;
  if (method === undefined || objid === undefined) return Status.invalidArgument;
  const object = bus.find(objid);
  if (object === undefined) return Status.notFound;
  if (object.owner !== client) return Status.permissionDenied;
  const subscribers = newestFirst(object.subscribers).map(({ subscriber }) => subscriber);
  const noReply = attrs.noReply === true;
  if (!noReply) {
    const ids = subscribers.map(({ id }) => id);
    bus.send(client, MessageType.status, frame.seq, frame.peer, { objid: object.id, subscribers: ids, status: Status.ok });
  }
  for (const subscriber of subscribers) forwardInvoke(bus, client, subscriber, frame.seq, noReply ? { noReply } : {}, method, data);
  return undefined;
}

/**
 * STATUS and DATA of an owner: passed on, as they are but for the peer, to the caller that the INVOKE had as its peer.
 * Whatever is wrong with them, nobody is told.
 */
export function respond(bus: Bus, client: Client, frame: Frame, attrs: Attributes): void {
  const complete = frame.type === MessageType.status ? attrs.status !== undefined : attrs.data !== undefined;
  if (attrs.objid === undefined || !complete) return;
  const caller = bus.clients.get(frame.peer);
  if (caller === undefined || bus.objects.get(attrs.objid)?.owner !== client) return;
  bus.forward(caller, { ...frame, peer: attrs.objid });
}

function forwardInvoke(
  bus: Bus,
  caller: Client,
  object: BusObject,
  seq: number,
  first: Attributes,
  method: string,
  data: Uint8Array | undefined,
): void {
  const { user, group } = caller.credentials;
  bus.send(object.owner, MessageType.invoke, seq, caller.id, {
    ...first,
    objid: object.id,
    method,
    user,
    group,
    ...(data && { data }),
  });
}

function callSystemObject(bus: Bus, client: Client, frame: Frame, id: number, method: string, data: Uint8Array | undefined): number {
  if (id === SystemObject.event) return callEventObject(bus, client, method, data);
  if (id === SystemObject.acl) return callAclObject(bus, client, frame, method);
  return callMonitorObject(bus, client, method);
}

/** Only root, by user and group, may watch. A client that watches already begins anew. */
function callMonitorObject(bus: Bus, client: Client, method: string): number {
  const { uid, gid } = client.credentials;
  if (uid !== 0 || gid !== 0) return Status.permissionDenied;
  if (method !== 'add' && method !== 'remove') return Status.methodNotFound;
  bus.monitors.delete(client);
  if (method === 'add') bus.monitors.set(client, { seq: 0 });
  return Status.ok;
}
