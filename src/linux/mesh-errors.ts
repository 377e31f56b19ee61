/** What goes wrong between peers, in words for the log. */
import type { Logger } from '../ports.js';
import { monotonicTime } from './clock.js';

/** A cause is logged again for one address after that long at the earliest. Milliseconds. */
const LOG_PAUSE = 600_000;

/** Addresses and causes that are remembered. */
const MAX_ENTRIES = 256;

/** A line about each connection that was turned away: one for each address and cause, and not again for a while. */
export class RefusalLog {
  readonly #entries = new Map<string, { until: number; silent: number }>();

  constructor(private readonly log: Logger) {}

  add(remoteAddress: string | undefined, cause: string): void {
    const now = monotonicTime();
    const address = plainAddress(remoteAddress);
    // An attacker with many addresses gets one line for all of them.
    const key = this.#entries.size < MAX_ENTRIES ? `${address} ${cause}` : cause;
    const entry = this.#entries.get(key);
    if (entry !== undefined && now < entry.until) {
      entry.silent++;
      return;
    }
    const silent = entry?.silent ?? 0;
    this.#forget(now);
    this.#entries.set(key, { until: now + LOG_PAUSE, silent: 0 });
    const times = silent > 0 ? ` (and ${silent} times before)` : '';
    this.log.warn(`connection from ${address} refused: ${cause}${times}`);
  }

  #forget(now: number): void {
    for (const [key, { until }] of this.#entries) if (now >= until) this.#entries.delete(key);
  }
}

/** An IPv4 address that came by a socket of both families is shown as what it is. */
export function plainAddress(address: string | undefined): string {
  return (address ?? 'an unknown address').replace(/^::ffff:(?=\d+\.)/, '');
}

const REASONS: { readonly [code: string]: string } = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by the peer',
  EPIPE: 'connection reset by the peer',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  EADDRINUSE: 'in use by another program',
  EACCES: 'permission denied',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
};

/** What went wrong on a connection, as a person would say it. */
export function reasonOf(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  const known = REASONS[code];
  if (known !== undefined && !error.message.includes('secure TLS')) return known;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'TLS handshake failed: no key is set there';
  if (/alert (illegal parameter|handshake failure|decrypt error)/.test(error.message)) {
    return 'TLS handshake failed: another key is set there';
  }
  if (error.message.includes('secure TLS')) return 'TLS handshake broken off: is the same key set there?';
  if (error instanceof AggregateError) return reasonOf(error.errors[0] as Error);
  return ('reason' in error && typeof error.reason === 'string' ? error.reason : error.message).trim();
}

/** Why an accepted connection did not become a TLS session. */
export function refusalOf(error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ERR_SSL_BINDER_DOES_NOT_VERIFY':
      return 'it has another key';
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
    case 'ERR_SSL_NO_SHARED_CIPHER':
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return 'it does not show the key';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'it does not speak TLS';
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'no TLS handshake in time (is no key set there?)';
    case 'ECONNRESET':
      return 'it hung up during the TLS handshake';
    default:
      return reasonOf(error);
  }
}
