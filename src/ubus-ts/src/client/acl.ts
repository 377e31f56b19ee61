/* What ubusd's ACL files say about the objects of this client, beyond who may call them. */
import { decodeFields } from '../codec/blobmsg.js';
import { MessageType, SystemObject } from '../codec/message.js';
import { fromFields, type Plain, type PlainTable } from '../codec/values.js';
import type { Cancellation } from './cancel.js';
import type { Connection } from './connection.js';
import { emptyData } from './invocation.js';
import { check } from './requests.js';

/** What one ACL file grants one user or group at one object, in words that only the object understands. */
export interface ObjectAcl {
  /** The path of the object. */
  readonly path: string;
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** The `acl` table of the file. */
  readonly acl: PlainTable;
}

/** The answer of ubusd's ACL object. */
export interface AclAnswer {
  /** Counts the times that the files were read; the event `ubus.acl.sequence` tells when it changes. */
  readonly sequence: number;
  readonly entries: readonly ObjectAcl[];
}

export async function queryAcl(connection: Connection, cancellation: Cancellation): Promise<AclAnswer> {
  let reply: PlainTable | undefined;
  const objid = SystemObject.acl;
  const answer = await connection.request(MessageType.invoke, objid, { objid, method: 'query', data: emptyData }, cancellation, ({ data }) => {
    if (data !== undefined) reply = fromFields(decodeFields(data));
  });
  check(answer, 'acl query');
  const { seq, acl } = reply ?? {};
  return { sequence: typeof seq === 'number' ? seq : 0, entries: Array.isArray(acl) ? acl.flatMap(entryOf) : [] };
}

function entryOf(entry: Plain): ObjectAcl[] {
  if (!isTable(entry) || typeof entry['obj'] !== 'string' || !isTable(entry['acl'])) return [];
  return [{ path: entry['obj'], user: textOf(entry['user']), group: textOf(entry['group']), acl: entry['acl'] }];
}

function isTable(value: Plain | undefined): value is PlainTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: Plain | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
