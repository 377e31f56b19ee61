/* The requests that ubusd itself answers. */
import { encodeFields, type Field } from '../codec/blobmsg.js';
import { MessageType, SystemObject, type Attributes } from '../codec/message.js';
import { decodeSignature, type MethodSignature } from '../codec/signature.js';
import { Status, UbusError } from '../errors.js';
import type { Cancellation } from './cancel.js';
import type { Connection, LocalObject } from './connection.js';
import type { ObjectType } from './type-cache.js';

/** An object as `lookup` and `list` tell it. */
export interface ObjectInfo {
  readonly path: string;
  /** Drawn at random when the object was added; never the same again. */
  readonly id: number;
  readonly type: number;
  /** The methods that this client may call. */
  readonly methods: readonly MethodSignature[];
}

/** An object that this client has added. */
export interface AddedObject {
  readonly id: number;
  readonly type: ObjectType | undefined;
}

/** Throws UbusError unless the STATUS says 0. A STATUS without a code is taken as 9. */
export function check(answer: Attributes, context: string): void {
  const status = answer.status ?? Status.unknownError;
  if (status !== Status.ok) throw new UbusError(status, context);
}

/** All objects, or those whose path matches. Without any: status 4, or 0 and an empty list if the ACL hides them. */
export async function lookup(connection: Connection, pattern: string | undefined, cancellation: Cancellation): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  const attrs: Attributes = pattern === undefined ? {} : { objpath: pattern };
  const answer = await connection.request(MessageType.lookup, 0, attrs, cancellation, ({ objpath, objid, objtype, signature }) => {
    if (objpath === undefined || objid === undefined) return;
    found.push({ path: objpath, id: objid, type: objtype ?? 0, methods: signature === undefined ? [] : decodeSignature(signature) });
  });
  check(answer, pattern ?? 'list');
  return found;
}

/** The id of one object; status 4 if it is not there or the ACL hides it. */
export async function lookupId(connection: Connection, path: string, cancellation: Cancellation): Promise<number> {
  let id: number | undefined;
  const answer = await connection.request(MessageType.lookup, 0, { objpath: path }, cancellation, ({ objid }) => (id ??= objid));
  check(answer, path);
  if (id === undefined) throw new UbusError(Status.notFound, path);
  return id;
}

/** Adds an object. From its first answer on `local` gets what is sent to it. Without `path` it is anonymous. */
export async function addObject(
  connection: Connection,
  local: LocalObject,
  cancellation: Cancellation,
  path?: string,
  signature?: Uint8Array,
): Promise<AddedObject> {
  let type = signature === undefined ? undefined : connection.types.acquire(signature);
  let id: number | undefined;
  const attrs: Attributes = {};
  if (path !== undefined) attrs.objpath = path;
  if (type !== undefined) attrs.objtype = type.id;
  else if (signature !== undefined) attrs.signature = signature;
  const known = type;
  try {
    const answer = await connection.request(MessageType.addObject, 0, attrs, cancellation, ({ objid, objtype }) => {
      if (objid === undefined) return;
      id = objid;
      connection.objects.set(objid, local);
      if (objtype !== undefined && signature !== undefined) type = connection.types.add(signature, objtype);
    });
    check(answer, path ?? 'anonymous object');
    if (id === undefined) throw new UbusError(Status.unknownError, path);
    return { id, type };
  } catch (error) {
    if (known !== undefined) connection.types.release(known);
    throw error;
  }
}

/** Removes an object of this connection. */
export async function removeObject(connection: Connection, object: AddedObject, cancellation: Cancellation): Promise<void> {
  if (object.type !== undefined) connection.types.release(object.type);
  const answer = await connection.request(MessageType.removeObject, 0, { objid: object.id }, cancellation);
  connection.objects.delete(object.id);
  check(answer, 'remove object');
}

/** Calls a method of one of ubusd's own objects. */
export async function invokeSystem(
  connection: Connection,
  objid: (typeof SystemObject)[keyof typeof SystemObject],
  method: string,
  fields: readonly Field[],
  cancellation: Cancellation,
): Promise<void> {
  const attrs: Attributes = { objid, method, data: encodeFields(fields) };
  check(await connection.request(MessageType.invoke, objid, attrs, cancellation), `${method} ${contextOf(fields)}`.trimEnd());
}

function contextOf(fields: readonly Field[]): string {
  return fields.flatMap(field => (field.type === 'string' ? [field.value] : [])).join(' ');
}
