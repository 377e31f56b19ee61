/** Keeps the database on disk: written rarely, since the disk may be flash, and at the end. */
import { BadInput, ShortInput } from '../net/bytes.js';
import type { Clock, Logger, Storage, Timer, WallClock } from '../ports.js';
import type { Database } from './database.js';
import type { Record } from './record.js';
import { readSnapshot, SnapshotWriter } from './snapshot.js';
import type { Millis } from './time.js';
import { after } from './time.js';

const FILE = 'database';

/** Records written before others have their turn. */
const SLICE = 2000;

export interface PersistencePorts {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly storage: Storage;
  readonly log: Logger;
}

/** What was stored. Never rejects: without it everything is learnt from peers. */
export async function loadRecords({ clock, wallClock, storage, log }: PersistencePorts): Promise<Record[]> {
  try {
    const file = await storage.load(FILE);
    return file === undefined ? [] : readSnapshot(file, clock.now(), wallClock.time());
  } catch (error) {
    const reason = (error as Error).message;
    if (!(error instanceof BadInput)) log.error(`the stored database cannot be read: ${reason}`);
    else {
      const place = await storage.setAside(FILE).catch(() => undefined);
      log.error(`the stored database is unusable: ${reason}; ${place === undefined ? 'it is passed over' : `it is kept as ${place}`}`);
    }
    return [];
  }
}

/** Puts stored records into the database; those that this version knows to be impossible are left out. */
export function restore(db: Database, records: readonly Record[], { clock }: PersistencePorts): void {
  for (const record of records) {
    try {
      db.apply(record, clock.now());
    } catch (error) {
      if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
    }
  }
}

export class Persistence {
  #timer: Timer | undefined;
  #saving: Promise<void> | undefined;
  #changed = false;
  /** Why the last write failed. */
  #failure: string | undefined;
  #stopped = false;

  /** `interval`: between two writes at the least. */
  constructor(
    private readonly db: Database,
    private readonly ports: PersistencePorts,
    public interval: Millis,
  ) {}

  /** What is wrong with the storage: one line or none. */
  get problems(): readonly string[] {
    return this.#failure === undefined ? [] : [this.#failure];
  }

  /** The database is another than what is stored. */
  changed(): void {
    this.#changed = true;
    if (this.#timer !== undefined || this.#saving !== undefined || this.#stopped) return;
    const { clock } = this.ports;
    this.#timer = clock.schedule(after(clock.now(), this.interval), () => {
      this.#timer = undefined;
      this.#begin();
    });
  }

  #begin(): void {
    const { clock, wallClock } = this.ports;
    this.#changed = false;
    const writer = new SnapshotWriter(this.db.records(), clock.now(), wallClock.time());
    this.#saving = new Promise((resolve) => this.#write(writer, resolve)).finally(() => {
      this.#saving = undefined;
      if (this.#changed) this.changed();
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
    if (!this.#changed) return;
    this.#begin();
    await this.#saving;
  }
}
