import { randomBytes } from 'node:crypto';

/** A secret of 256 bits in characters that need no quoting anywhere. */
export function generateKey(): string {
  return randomBytes(32).toString('base64url');
}
