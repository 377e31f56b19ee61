/** Errors of system calls, by their number. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** Second names for the same number, which the kernel's own manuals do not use. */
const ALIASES = new Set(['ENOTSUP', 'EWOULDBLOCK']);

const NAMES = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => !ALIASES.has(name))
    .map(([name, errno]) => [errno, name]),
);

/** The name of a positive errno, `ENOENT`; `errno 999` for one that has none here. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}

/** What the number means, in words: `no such file or directory`. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}
