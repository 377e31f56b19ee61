/** Keeps the database on disk: written rarely, since the disk may be flash, and at the end. */
import { BadInput, ShortInput } from '../net/bytes.js';
import type { Clock, Logger, Storage, Timer, WallClock } from '../ports.js';
import type { Database } from './database.js';
import { clientsOf } from './database.js';
import type { Record } from './record.js';
import { meaningOf } from './record.js';
import type { Moment, Snapshot } from './snapshot.js';
import { readSnapshot, SnapshotWriter } from './snapshot.js';
import type { Instant, Millis } from './time.js';
import { after, MINUTE, SECOND } from './time.js';

const FILE = 'database';

/** Records written in one go, before other events have their turn. */
const SLICE = 2000;

/** The wall clock may go wrong by this much before that is worth a write. */
const CLOCK_SLACK: Millis = 10 * SECOND;

/** Between two looks at the wall clock at the most. */
const LOOK_INTERVAL: Millis = MINUTE;

/** Whether the wall clock was set between two moments: it disagrees with the monotonic one on the time between them. */
export function wasClockSet(then: Omit<Moment, 'boot'>, now: Omit<Moment, 'boot'>): boolean {
  return Math.abs((now.time - then.time) * SECOND - (now.instant - then.instant)) > CLOCK_SLACK;
}

export interface PersistencePorts {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly storage: Storage;
  readonly log: Logger;
}

/** What was stored. Never rejects: without it everything is learnt from peers. */
export async function loadRecords(ports: PersistencePorts): Promise<Snapshot> {
  const { storage, log } = ports;
  try {
    const file = await storage.load(FILE);
    return file === undefined ? NOTHING : readSnapshot(file, momentOf(ports));
  } catch (error) {
    const reason = (error as Error).message;
    if (!(error instanceof BadInput)) log.error(`the stored database cannot be read: ${reason}`);
    else {
      const place = await storage.setAside(FILE).catch(() => undefined);
      log.error(`the stored database is unusable: ${reason}; ${place === undefined ? 'it is passed over' : `it is kept as ${place}`}`);
    }
    return NOTHING;
  }
}

const NOTHING: Snapshot = { records: [], doubtful: false };

function momentOf({ clock, wallClock }: Pick<PersistencePorts, 'clock' | 'wallClock'>): Moment {
  return { instant: clock.now(), time: wallClock.time(), boot: wallClock.boot };
}

/**
 * Puts stored records into the database, except those that this version knows to be impossible. What a doubtful snapshot
 * says of clients is given back: it is for {@link admit}, once peers have told what they know.
 */
export function restore(db: Database, { records, doubtful }: Snapshot, { clock }: Pick<PersistencePorts, 'clock'>): readonly Record[] {
  const held: Record[] = [];
  for (const record of records) {
    attempt(() => {
      if (doubtful && clientsOf(meaningOf(record.key, record.value)).length > 0) held.push(record);
      else db.apply(record, clock.now());
    });
  }
  return held;
}

/** Has those of the records applied of which nobody has told anything else; see {@link restore}. */
export function admit(db: Database, held: readonly Record[], apply: (record: Record) => void): void {
  for (const record of held) if (db.get(record.key) === undefined) attempt(() => apply(record));
}

function attempt(task: () => void): void {
  try {
    task();
  } catch (error) {
    if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
  }
}

/**
 * After a reboot stored lifetimes go on by the wall clock, so the file is written anew when that clock is found to have
 * been set: else a router whose clock was slow at boot would find its leases run out at the next boot. It is looked at
 * when the daemon wakes for something else, once a minute at the least, and at the end.
 */
export class Persistence {
  #timer: Timer | undefined;
  #saving: Promise<void> | undefined;
  #changed = false;
  /** When the last write began, or this object was made. */
  #writtenAt: Moment;
  #nextLook: Instant;
  /** Why the last write failed. */
  #failure: string | undefined;
  #stopped = false;
  #held = false;

  /** `interval`: between two writes at the least. */
  constructor(
    private readonly db: Database,
    private readonly ports: PersistencePorts,
    private interval: Millis,
  ) {
    this.#writtenAt = momentOf(ports);
    this.#nextLook = after(this.#writtenAt.instant, LOOK_INTERVAL);
  }

  /** When {@link poll} is due at the latest. */
  get nextDeadline(): Instant {
    return this.#nextLook;
  }

  /** Looks whether the wall clock was set. Costs little: to be called whenever the daemon wakes. */
  poll(now: Instant): void {
    this.#nextLook = after(now, LOOK_INTERVAL);
    this.#checkClock();
  }

  /** What is wrong with the storage: one line or none. */
  get problems(): readonly string[] {
    return this.#failure === undefined ? [] : [this.#failure];
  }

  /** The file knows more than the database (see {@link restore}): it is not written before {@link release}. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#changed) this.changed();
    this.#checkClock();
  }

  /** The database has changed since it was stored. */
  changed(): void {
    this.#changed = true;
    if (this.#timer !== undefined || this.#saving !== undefined || this.#held || this.#stopped) return;
    this.#wait();
  }

  /** From now on. What waits to be written waits no longer than that. */
  setInterval(interval: Millis): void {
    const isShorter = interval < this.interval;
    this.interval = interval;
    if (this.#timer === undefined || !isShorter) return;
    this.#timer.cancel();
    this.#wait();
  }

  #wait(): void {
    const { clock } = this.ports;
    this.#timer = clock.schedule(after(clock.now(), this.interval), () => {
      this.#timer = undefined;
      this.#begin();
    });
  }

  /** Writes at once where the wall clock was set. */
  #checkClock(): void {
    if (this.#stopped || this.#held || this.#saving !== undefined || !this.#isClockSet()) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#begin();
  }

  #isClockSet(): boolean {
    return wasClockSet(this.#writtenAt, momentOf(this.ports));
  }

  #begin(): void {
    this.#changed = false;
    this.#writtenAt = momentOf(this.ports);
    const writer = new SnapshotWriter(this.db.records(), this.#writtenAt);
    this.#saving = new Promise((resolve) => this.#write(writer, resolve)).finally(() => {
      this.#saving = undefined;
      if (this.#changed) this.changed();
      this.#checkClock();
    }) as Promise<void>;
  }

  #write(writer: SnapshotWriter, done: (saved: Promise<void>) => void): void {
    const { clock } = this.ports;
    const file = writer.step(this.#stopped ? Infinity : SLICE);
    if (file !== undefined) done(this.#save(file));
    else clock.schedule(clock.now(), () => this.#write(writer, done));
  }

  async #save(file: Uint8Array): Promise<void> {
    const { storage, log } = this.ports;
    try {
      await storage.save(FILE, file);
      if (this.#failure !== undefined) log.info('the database is stored again');
      this.#failure = undefined;
    } catch (error) {
      this.#changed = true;
      const failure = `the database cannot be stored: ${(error as Error).message}`;
      if (this.#failure === undefined) log.error(failure);
      this.#failure = failure;
    }
  }

  /** Writes what is not stored yet; resolves when it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#saving;
    if (!this.#changed && !this.#isClockSet()) return;
    this.#begin();
    await this.#saving;
  }
}
