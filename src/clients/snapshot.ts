/**
 * The database as a file: what a router knows when it starts again. All in network byte order:
 *
 *     "Roam" version(2)=2 time(4) instant(8) bootlen(1) boot
 *     seqno(2) lifetime(4) keylen(1) valuelen(1) key value, for each record
 *     crc32(4)
 *
 * `time` is the wall clock's as the file was made, in seconds since 1970, `instant` the monotonic clock's in milliseconds,
 * which counts since the start of the system that `boot` names; version 1 had neither. `lifetime` is what was left then,
 * in seconds, 0 for a dead record; the checksum is over all before it.
 */
import { BadInput, fromBinary, Reader, ShortInput, toBinary, Writer } from '../net/bytes.js';
import { crc32 } from '../net/crc32.js';
import { REST } from './database.js';
import type { Record, RecordKey } from './record.js';
import { LONGEST_LIFETIME } from './record.js';
import type { Instant, Millis } from './time.js';
import { after, SECOND, secondsUntil } from './time.js';

const MAGIC = 0x526f616d;
const VERSION = 2;
const CRC_BYTES = 4;
const MAX_LIFETIME = 0xffffffff;

/** The beginning of 2025: no clock that is right says less. Routers without a clock chip wake in 1970, or at their build. */
const EARLIEST_TIME = 1_735_689_600;

/** A file that claims to be older than that was written or is read under a wrong clock. */
const LONGEST_GAP = 30 * 86_400;

/** One moment by all clocks. */
export interface Moment {
  readonly instant: Instant;
  /** Seconds since 1970 on the wall clock. */
  readonly time: number;
  /** See {@link WallClock.boot}. */
  readonly boot: string;
}

export interface Snapshot {
  readonly records: readonly Record[];
  /**
   * How long ago it was made is not sure: the system was started since then, and may not know what time it is. What it says
   * of clients may have run out, be forgotten elsewhere and be different by now, under a number that counts as older.
   */
  readonly doubtful: boolean;
}

/** Writes a snapshot some records at a time, so that a large database does not hold up the rest. */
export class SnapshotWriter {
  readonly #w = new Writer(64 * 1024);
  readonly #records: Iterator<Record>;
  readonly #now: Instant;

  /** What changes in `records` while it is written is there in its old or its new version. */
  constructor(records: Iterable<Record>, now: Moment) {
    this.#records = records[Symbol.iterator]();
    this.#now = now.instant;
    this.#w.u32(MAGIC).u16(VERSION).u32(Math.min(MAX_LIFETIME, Math.max(0, Math.floor(now.time))));
    this.#w.u64(BigInt(Math.floor(now.instant))).u8(now.boot.length).put(fromBinary(now.boot));
  }

  /** Goes on with at most `count` records; returns the whole file once there are no more. */
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
 * Reads a snapshot. The time since it was made is taken off the lifetimes: by the monotonic clock where the system is still
 * the same, else by the wall clock where that can have been right both times, else none is: rather an address that is kept
 * too long than one that is given twice. A lease that has run out by the clock gets no grace: elsewhere it may be forgotten
 * and its address another client's, against whose record the old number would win. Records that have been dead for long
 * are left out. Throws {@link BadInput} for a file that is cut short, damaged, or of another version.
 */
export function readSnapshot(file: Uint8Array, now: Moment): Snapshot {
  const body = file.subarray(0, Math.max(0, file.length - CRC_BYTES));
  try {
    const r = new Reader(body);
    if (r.u32() !== MAGIC) throw new BadInput('it is no database');
    const version = r.u16();
    if (version < 1 || version > VERSION) throw new BadInput(`it has version ${version}, and 1 to ${VERSION} are known here`);
    if (new Reader(file.subarray(body.length)).u32() !== crc32(body)) throw new BadInput('its checksum is wrong');
    const time = r.u32();
    const then = version === 1 ? undefined : readInstant(r, now.boot);
    const isSure = then !== undefined && then <= now.instant;
    const elapsed = isSure ? now.instant - then : elapsedSince(time, now.time);
    return { records: [...readRecords(r, now.instant, elapsed)], doubtful: !isSure };
  } catch (error) {
    if (error instanceof ShortInput) throw new BadInput('it is cut short', { cause: error });
    throw error;
  }
}

/** Undefined where it is of another run of the system. */
function readInstant(r: Reader, boot: string): Instant | undefined {
  const instant = Number(r.u64()) as Instant;
  return toBinary(r.take(r.u8())) === boot && boot !== '' ? instant : undefined;
}

function elapsedSince(then: number, time: number): Millis {
  const gap = time - then;
  return then >= EARLIEST_TIME && gap >= 0 && gap <= LONGEST_GAP ? gap * SECOND : 0;
}

function* readRecords(r: Reader, now: Instant, elapsed: Millis): Generator<Record> {
  while (r.left > 0) {
    const seqno = r.u16();
    const lifetime = Math.min(r.u32() * SECOND, LONGEST_LIFETIME) - elapsed;
    const keyLength = r.u8();
    const valueLength = r.u8();
    const key = toBinary(r.take(keyLength)) as RecordKey;
    const value = toBinary(r.take(valueLength));
    if (lifetime > -REST) yield { key, value, seqno, expires: after(now, lifetime) };
  }
}
