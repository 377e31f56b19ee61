import type { Field } from '../codec/blobmsg.js';
import { type Pattern, byteKey, matches, parsePattern } from './pattern.js';
import { SortedList } from './sorted-list.js';

/** Who is at the other end of a connection, as SO_PEERCRED would tell it. */
export interface Credentials {
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups?: readonly number[];
  /** The name of `uid`; the owner of an object is told it in every call. */
  readonly user: string;
  /** The name of `gid`. */
  readonly group: string;
}

/** The user and group database, as far as ACL files need it. */
export interface Accounts {
  uid(user: string): number | undefined;
  gid(group: string): number | undefined;
}

/** What may be permitted besides calling methods. */
export type AclPermission = 'publish' | 'subscribe' | 'listen' | 'send';

/** What an ACL file lets its user or group do at one path or pattern. */
export interface AclRule extends Pattern {
  /** Whom it is about, as the file has it: a user, else a group. */
  readonly user?: string;
  readonly group?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Methods that may be called, each in full, or `*`. */
  readonly methods?: readonly string[];
  /** The private `acl` table of an access entry, which the owner of the object may ask for. */
  readonly extra?: readonly Field[];
  readonly permission?: AclPermission;
}

type Subject = Pick<AclRule, 'user' | 'group' | 'uid' | 'gid'>;

const permissions: readonly AclPermission[] = ['subscribe', 'publish', 'listen', 'send'];

/** What everybody but root may do: without rules, nothing. */
export class Acl {
  readonly #rules = new SortedList<AclRule>();

  constructor(rules: Iterable<AclRule> = []) {
    for (const rule of rules) this.#rules.add(rule);
  }

  /** Whether the caller may call `method` of the object at `path`. An object without path is open to all. */
  allowsMethod(caller: Credentials, path: string | undefined, method: string): boolean {
    return this.#allows(caller, path, ({ methods }) => methods?.some(name => name === method || name === '*') === true);
  }

  /** Whether the caller may do something to a path, an event or a pattern without its `*`. */
  allows(caller: Credentials, permission: AclPermission, name: string): boolean {
    return this.#allows(caller, name, rule => rule.permission === permission);
  }

  /** The rules that have a private table for the owner of the object at `path`, sorted by their patterns. */
  extras(path: string): AclRule[] {
    const key = byteKey(path);
    return [...this.#rules].filter(rule => rule.extra !== undefined && matches(rule, key));
  }

  #allows(caller: Credentials, name: string | undefined, permits: (rule: AclRule) => boolean): boolean {
    if (caller.uid === 0 || name === undefined) return true;
    const key = byteKey(name);
    for (const rule of this.#rules) {
      if (matches(rule, key) && concerns(rule, caller) && permits(rule)) return true;
    }
    return false;
  }
}

/**
 * The rules of one ACL file (ubusd_acl.c, ubusd_acl_file_add). What has another type than it should is passed over, and a file
 * that names neither user nor group has no rules. A name that the system does not know stands for number 0, as in ubusd.
 * @param file the file's JSON
 */
export function aclRules(file: readonly Field[], accounts: Accounts): AclRule[] {
  const subject = subjectOf(file, accounts);
  if (subject === undefined) return [];
  const rules: AclRule[] = [];
  for (const entry of tableAt(file, 'access') ?? []) {
    if (entry.type !== 'table' || entry.name === '') continue;
    const extra = tableAt(entry.value, 'acl');
    rules.push({
      ...subject,
      ...parsePattern(entry.name),
      methods: stringsAt(entry.value, 'methods'),
      ...(extra && { extra }),
    });
  }
  for (const permission of permissions) {
    for (const text of stringsAt(file, permission)) {
      if (text !== '') rules.push({ ...subject, ...parsePattern(text), permission });
    }
  }
  return rules;
}

function subjectOf(file: readonly Field[], accounts: Accounts): Subject | undefined {
  const user = stringAt(file, 'user');
  if (user !== undefined) return { user, uid: accounts.uid(user) ?? 0 };
  const group = stringAt(file, 'group');
  return group === undefined ? undefined : { group, gid: accounts.gid(group) ?? 0 };
}

function concerns({ uid, gid }: AclRule, caller: Credentials): boolean {
  if (uid !== undefined) return uid === caller.uid;
  return gid !== undefined && (gid === caller.gid || caller.groups?.includes(gid) === true);
}

function stringAt(fields: readonly Field[], name: string): string | undefined {
  const found = fields.find(field => field.name === name && field.type === 'string');
  return found?.type === 'string' ? found.value : undefined;
}

function tableAt(fields: readonly Field[], name: string): readonly Field[] | undefined {
  const found = fields.find(field => field.name === name && field.type === 'table');
  return found?.type === 'table' ? found.value : undefined;
}

function stringsAt(fields: readonly Field[], name: string): string[] {
  const found = fields.find(field => field.name === name && field.type === 'array');
  return found?.type === 'array' ? found.value.flatMap(item => (item.type === 'string' ? [item.value] : [])) : [];
}
