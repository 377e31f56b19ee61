/** Errors of system calls, by their number. */
import { getSystemErrorMap } from 'node:util';

/** The name of a positive errno, `ENOENT`; `errno 999` for one that has none here. */
export function errnoName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}

/** What the number means, in words: `no such file or directory`. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}
