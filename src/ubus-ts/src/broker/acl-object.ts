import { encodeFields, type Field } from '../codec/blobmsg.js';
import { SystemObject } from '../codec/message.js';
import type { Frame } from '../codec/message.js';
import { Status } from '../errors.js';
import type { AclRule } from './acl.js';
import type { Bus, Client } from './bus.js';
import { newestFirst } from './subscriptions.js';

/**
 * A call of object 2, where the owner of objects learns what the ACL files say about them in their private `acl` tables.
 * Returns the status to answer with.
 */
export function callAclObject(bus: Bus, client: Client, request: Frame, method: string): number {
  if (method !== 'query') return Status.invalidCommand;
  const entries = newestFirst(client.objects).flatMap(({ path }) =>
    path === undefined ? [] : bus.acl.extras(path).map(rule => entry(path, rule)),
  );
  const data = encodeFields([
    { name: 'seq', type: 'int32', value: bus.aclSequence },
    { name: 'acl', type: 'array', value: entries },
  ]);
  bus.sendData(client, request, { objid: SystemObject.acl, data });
  return Status.ok;
}

function entry(path: string, { user, group, extra }: AclRule): Field {
  const fields: Field[] = [{ name: 'obj', type: 'string', value: path }];
  if (user !== undefined) fields.push({ name: 'user', type: 'string', value: user });
  if (group !== undefined) fields.push({ name: 'group', type: 'string', value: group });
  fields.push({ name: 'acl', type: 'table', value: extra ?? [] });
  return { name: '', type: 'table', value: fields };
}
