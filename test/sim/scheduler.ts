import type { Instant, Millis } from '../../src/clients/time.js';
import { after } from '../../src/clients/time.js';
import type { Clock, Timer } from '../../src/ports.js';

class Task implements Timer {
  constructor(
    readonly at: number,
    readonly order: number,
    public run: (() => void) | undefined,
  ) {}

  cancel(): void {
    this.run = undefined;
  }
}

/** True time, and everything that is going to happen: tasks by time, those of one moment in the order they were made. */
export class Scheduler {
  #now = 0 as Instant;
  #heap: Task[] = [];
  #order = 0;
  /** Tasks run so far. */
  count = 0;

  get now(): Instant {
    return this.#now;
  }

  schedule(at: number, run: () => void): Timer {
    const task = new Task(Math.max(at, this.#now), this.#order++, run);
    this.#push(task);
    return task;
  }

  in(delay: Millis, run: () => void): Timer {
    return this.schedule(this.#now + delay, run);
  }

  /** Lets time pass. After each task all promises that can settle do, before the next one runs. */
  run(duration: Millis): Promise<void> {
    const end = after(this.#now, duration);
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          if (this.#next(end)) settle(step);
          else resolve();
        } catch (error) {
          reject(error as Error);
        }
      };
      settle(step);
    });
  }

  /** The same for what makes no promises: much faster. */
  runAtOnce(duration: Millis): void {
    const end = after(this.#now, duration);
    while (this.#next(end));
  }

  /** Runs the next task that is due by `end`; false, and it is that time, where there is none. */
  #next(end: Instant): boolean {
    for (let task = this.#heap[0]; task !== undefined && task.at <= end; task = this.#heap[0]) {
      this.#pop();
      if (task.run === undefined) continue;
      this.#now = task.at as Instant;
      this.count++;
      task.run();
      return true;
    }
    this.#now = end;
    return false;
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let i = heap.push(task) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent]!, task)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}

/**
 * Calls back when all promises that can settle have: what a microtask puts off to the next tick runs once there is no
 * microtask any more. A turn of the event loop would do as well, but costs more.
 */
function settle(then: () => void): void {
  queueMicrotask(() => process.nextTick(then));
}

/** The clock of one process: starts anywhere, runs too fast or too slow, and ends with the process. */
export class SimClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #rate: number;
  readonly #start: number;
  readonly #zero: number;
  /** The process is gone: nothing that waits for a time runs any more. */
  dead = false;

  constructor(scheduler: Scheduler, rate: number, zero: number) {
    this.#scheduler = scheduler;
    this.#rate = rate;
    this.#start = scheduler.now;
    this.#zero = zero;
  }

  now(): Instant {
    return this.#reading(this.#scheduler.now) as Instant;
  }

  #reading(time: number): number {
    return this.#zero + (time - this.#start) * this.#rate;
  }

  schedule(at: Instant, task: () => void): Timer {
    return this.#scheduler.schedule(this.#whenItReads(at), () => {
      if (!this.dead) task();
    });
  }

  /** True time at which it shows `at`, or is past it: of what is exact but for rounding, the first number that is not too early. */
  #whenItReads(at: Instant): number {
    let time = Math.max(this.#scheduler.now, this.#start + (at - this.#zero) / this.#rate);
    while (this.#reading(time) < at) time *= 1 + Number.EPSILON;
    return time;
  }
}
