import type { Accounts, Credentials } from './acl.js';

/** Names and numbers from passwd(5) and group(5). */
export class AccountFiles implements Accounts {
  readonly #users: Entries;
  readonly #groups: Entries;

  /** @param passwd, group the texts of the two files */
  constructor(passwd: string, group: string) {
    this.#users = new Entries(passwd);
    this.#groups = new Entries(group);
  }

  uid(user: string): number | undefined {
    return this.#users.numbers.get(user);
  }

  gid(group: string): number | undefined {
    return this.#groups.numbers.get(group);
  }

  /** What ubusd would find out about a process. An id without a name goes by its number; ubusd would refuse the client. */
  credentials(uid: number, gid: number, groups: readonly number[]): Credentials {
    const user = this.#users.names.get(uid) ?? String(uid);
    const group = this.#groups.names.get(gid) ?? String(gid);
    return { uid, gid, groups, user, group };
  }
}

/** The lines of passwd(5) and group(5) have name and number in the same places. Of two with one key the first counts. */
class Entries {
  readonly numbers = new Map<string, number>();
  readonly names = new Map<number, string>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [name, , digits] = line.split(':');
      if (name === undefined || name === '' || digits === undefined || !/^[0-9]+$/.test(digits)) continue;
      const id = Number(digits);
      if (!this.numbers.has(name)) this.numbers.set(name, id);
      if (!this.names.has(id)) this.names.set(id, name);
    }
  }
}
