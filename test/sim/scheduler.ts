import type { Instant, Millis } from '../../src/clients/time.js';
import { after } from '../../src/clients/time.js';
import type { Clock, Timer } from '../../src/ports.js';

interface Task extends Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
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
    const task: Task = { at: Math.max(at, this.#now), order: this.#order++, run, cancel: () => (task.run = undefined) };
    this.#push(task);
    return task;
  }

  in(delay: Millis, run: () => void): Timer {
    return this.schedule(this.#now + delay, run);
  }

  /** Lets time pass. After each task all promises that can settle do, before the next one runs. */
  async run(duration: Millis): Promise<void> {
    const end = after(this.#now, duration);
    await settle();
    for (let task = this.#heap[0]; task !== undefined && task.at <= end; task = this.#heap[0]) {
      this.#pop();
      const { run } = task;
      if (run === undefined) continue;
      this.#now = task.at as Instant;
      this.count++;
      run();
      await settle();
    }
    this.#now = end;
  }

  /** The same for what makes no promises: much faster. */
  runAtOnce(duration: Millis): void {
    const end = after(this.#now, duration);
    for (let task = this.#heap[0]; task !== undefined && task.at <= end; task = this.#heap[0]) {
      this.#pop();
      const { run } = task;
      if (run === undefined) continue;
      this.#now = task.at as Instant;
      this.count++;
      run();
    }
    this.#now = end;
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

/** Until promises that can settle have: the microtask queue is empty when an immediate runs. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
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
    return (this.#zero + (this.#scheduler.now - this.#start) * this.#rate) as Instant;
  }

  schedule(at: Instant, task: () => void): Timer {
    // The billionth of a second makes up for rounding, so that it is never too early.
    const due = this.#start + (at - this.#zero) / this.#rate + 1e-6;
    return this.#scheduler.schedule(due, () => {
      if (!this.dead) task();
    });
  }
}
