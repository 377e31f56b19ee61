/**
 * The database as a file: what a router knows when it starts again. All in network byte order:
 *
 *     "Roam" version(2)=1 time(4) | seqno(2) lifetime(4) keylen(1) valuelen(1) key value, for each record | crc32(4)
 *
 * `time` is the wall clock's as the file was made, in seconds since 1970; `lifetime` is what was left then, in seconds,
 * 0 for a dead record; the checksum is over all before it.
 */
import { BadInput, fromBinary, Reader, ShortInput, toBinary, Writer } from '../net/bytes.js';
import { crc32 } from '../net/crc32.js';
import { REST } from './database.js';
import type { Record, RecordKey } from './record.js';
import type { Instant, Millis } from './time.js';
import { after, SECOND, secondsUntil } from './time.js';

const MAGIC = 0x526f616d;
const VERSION = 1;
const CRC_BYTES = 4;
const MAX_LIFETIME = 0xffffffff;

/** No clock that is right says less: the beginning of 2025. Routers without a clock chip wake in 1970, or at their build. */
const EARLIEST_TIME = 1_735_689_600;

/** A file that claims to be older than that was written or is read under a wrong clock. */
const LONGEST_GAP = 30 * 86_400;

/** Writes a snapshot some records at a time, so that a large database does not hold up the rest. */
export class SnapshotWriter {
  readonly #w = new Writer(64 * 1024);
  readonly #records: Iterator<Record>;
  readonly #now: Instant;

  /** `time`: seconds since 1970. What changes in `records` while it is written is there in its old or its new version. */
  constructor(records: Iterable<Record>, now: Instant, time: number) {
    this.#records = records[Symbol.iterator]();
    this.#now = now;
    this.#w.u32(MAGIC).u16(VERSION).u32(Math.min(MAX_LIFETIME, Math.max(0, Math.floor(time))));
  }

  /** Goes on with at most so many records; the whole file once there are no more. */
  step(count = Infinity): Uint8Array | undefined {
    for (; count > 0; count--) {
      const next = this.#records.next();
      if (next.done === true) return this.#w.u32(crc32(this.#w.done())).done();
      this.#write(next.value);
    }
    return undefined;
  }

  #write({ key, value, seqno, expires }: Record): void {
    this.#w.u16(seqno).u32(Math.min(MAX_LIFETIME, secondsUntil(expires, this.#now)));
    this.#w.u8(key.length).u8(value.length).put(fromBinary(key)).put(fromBinary(value));
  }
}

/**
 * Reads a snapshot. The time since it was made is taken off the lifetimes where both clocks can have been right, else
 * none is: rather an address that is kept too long than one that is given twice. A lease that has run out by both gets no
 * grace: elsewhere it may be forgotten and its address another client's, against whose record the old number would win.
 * Records that have been dead for long are left out. Throws {@link BadInput} for a file that is cut short, damaged, or of
 * another version.
 */
export function readSnapshot(file: Uint8Array, now: Instant, time: number): Record[] {
  const body = file.subarray(0, Math.max(0, file.length - CRC_BYTES));
  try {
    const r = new Reader(body);
    if (r.u32() !== MAGIC) throw new BadInput('it is no database');
    const version = r.u16();
    if (version !== VERSION) throw new BadInput(`it has version ${version}, and ${VERSION} is known here`);
    if (new Reader(file.subarray(body.length)).u32() !== crc32(body)) throw new BadInput('its checksum is wrong');
    const elapsed = elapsedSince(r.u32(), time);
    return [...readRecords(r, now, elapsed)];
  } catch (error) {
    if (error instanceof ShortInput) throw new BadInput('it is cut short', { cause: error });
    throw error;
  }
}

function elapsedSince(then: number, time: number): Millis {
  const gap = time - then;
  return then >= EARLIEST_TIME && gap >= 0 && gap <= LONGEST_GAP ? gap * SECOND : 0;
}

function* readRecords(r: Reader, now: Instant, elapsed: Millis): Generator<Record> {
  while (r.left > 0) {
    const seqno = r.u16();
    const lifetime = r.u32() * SECOND - elapsed;
    const keyLength = r.u8();
    const valueLength = r.u8();
    const key = toBinary(r.take(keyLength)) as RecordKey;
    const value = toBinary(r.take(valueLength));
    if (lifetime > -REST) yield { key, value, seqno, expires: after(now, lifetime) };
  }
}
