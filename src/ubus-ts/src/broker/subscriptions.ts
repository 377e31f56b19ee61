import { MessageType } from '../codec/message.js';
import type { Attributes } from '../codec/message.js';
import { Status } from '../errors.js';
import type { Bus, BusObject, Client, Subscription } from './bus.js';

/** SUBSCRIBE: the object objid of this client wants the notifications of target. */
export function handleSubscribe(bus: Bus, client: Client, { objid, target: targetId }: Attributes): number {
  if (objid === undefined || targetId === undefined) return Status.invalidArgument;
  const subscriber = bus.find(objid);
  if (subscriber === undefined) return Status.notFound;
  if (subscriber.owner !== client) return Status.invalidArgument;
  const target = bus.objects.get(targetId);
  if (target === undefined) return Status.notFound;
  if (target.owner === client) return Status.invalidArgument;
  if (!maySubscribe(bus, client, target)) return Status.notFound;
  subscribe(bus, subscriber, target);
  return Status.ok;
}

/** UNSUBSCRIBE: ends the newest of the subscriptions of objid to target. */
export function handleUnsubscribe(bus: Bus, client: Client, { objid, target }: Attributes): number {
  if (objid === undefined || target === undefined) return Status.invalidArgument;
  const subscriber = bus.find(objid);
  if (subscriber === undefined) return Status.notFound;
  if (subscriber.owner !== client) return Status.invalidArgument;
  const subscription = newestFirst(subscriber.targets).find(candidate => candidate.target.id === target);
  if (subscription === undefined) return Status.notFound;
  unsubscribe(bus, subscription);
  return Status.ok;
}

/** Ends a subscription; the owner of the target is told if it was the last. */
export function unsubscribe(bus: Bus, subscription: Subscription): void {
  const { subscriber, target } = subscription;
  target.subscribers.delete(subscription);
  subscriber.targets.delete(subscription);
  if (target.subscribers.size === 0) tellActive(bus, target);
}

/** Tells a subscriber that the target is about to go. */
export function tellTargetGone(bus: Bus, { subscriber, target }: Subscription): void {
  subscriber.seq++;
  bus.send(subscriber.owner, MessageType.unsubscribe, subscriber.seq, 0, { objid: subscriber.id, target: target.id });
}

/** The order in which ubusd walks its lists of objects and subscriptions. */
export function newestFirst<T>(set: ReadonlySet<T>): T[] {
  return [...set].reverse();
}

/** A target without a path is only for programs of the same user or group. */
function maySubscribe(bus: Bus, client: Client, target: BusObject): boolean {
  if (target.path !== undefined) return bus.acl.allows(client.credentials, 'subscribe', target.path);
  const owner = target.owner.credentials;
  return owner.user === client.credentials.user || owner.group === client.credentials.group;
}

function subscribe(bus: Bus, subscriber: BusObject, target: BusObject): void {
  const subscription = { subscriber, target };
  target.subscribers.add(subscription);
  subscriber.targets.add(subscription);
  if (target.subscribers.size === 1) tellActive(bus, target);
}

function tellActive(bus: Bus, target: BusObject): void {
  target.seq++;
  const active = target.subscribers.size > 0;
  bus.send(target.owner, MessageType.notify, target.seq, 0, { objid: target.id, active });
}
