/**
 * What hellos look like on a link: hidden and authenticated with the key, so that who does not hold it can neither read
 * nor make one. Each has a key of its own, HKDF (RFC 5869) of the pre-shared key with a random salt, under which it is
 * sealed with ChaCha20-Poly1305 (RFC 8439); the nonce may be zero, since the key is used once.
 *
 *     without a key   1, content
 *     with a key      2, salt(16), content sealed, tag(16)
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const PLAIN = 1;
const SEALED = 2;
const SALT = 16;
const TAG = 16;
const NONCE = Buffer.alloc(12);
const INFO = 'roaming hello 1';
const OPTIONS = { authTagLength: TAG } as const;

function keyFor(psk: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', psk, salt, INFO, 32));
}

/** The datagram for a content. */
export function seal(content: Uint8Array, psk: Uint8Array | undefined): Uint8Array {
  if (psk === undefined) return Uint8Array.of(PLAIN, ...content);
  const salt = randomBytes(SALT);
  const cipher = createCipheriv('chacha20-poly1305', keyFor(psk, salt), NONCE, OPTIONS);
  const hidden = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([Uint8Array.of(SEALED), salt, hidden, cipher.getAuthTag()]);
}

/** The content of a datagram; undefined where it was not made with the same key, or at all. */
export function unseal(datagram: Uint8Array, psk: Uint8Array | undefined): Uint8Array | undefined {
  if (psk === undefined) return datagram[0] === PLAIN ? datagram.subarray(1) : undefined;
  if (datagram[0] !== SEALED || datagram.length < 1 + SALT + TAG) return undefined;
  const salt = datagram.subarray(1, 1 + SALT);
  const end = datagram.length - TAG;
  const decipher = createDecipheriv('chacha20-poly1305', keyFor(psk, salt), NONCE, OPTIONS);
  decipher.setAuthTag(datagram.subarray(end));
  try {
    return Buffer.concat([decipher.update(datagram.subarray(1 + SALT, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}
