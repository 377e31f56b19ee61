/** What tests of all parts have in common: a configuration, a clock that the test turns, logs. */
import { parse } from 'uci-parser';
import { assert, ASSOCIATION_LIFETIME } from '../src/clients/claims.js';
import type { Database } from '../src/clients/database.js';
import type { NodeId } from '../src/clients/node-id.js';
import type { NodeInfo, Record } from '../src/clients/record.js';
import { nodeInfoValue, nodeKey } from '../src/clients/record.js';
import type { Instant, Millis } from '../src/clients/time.js';
import { after } from '../src/clients/time.js';
import type { Config } from '../src/config/config.js';
import { formatProblem, readConfig } from '../src/config/config.js';
import type { Clock, Logger, Timer } from '../src/ports.js';

export const at = (millis: number) => millis as Instant;

/** The configuration that these lines of section `main` give. Throws where they give none. */
export function configOf(...lines: string[]): Config {
  const text = ["config roaming 'main'", ...lines].join('\n');
  const { config, problems } = readConfig(parse(text, { name: 'roaming', file: 'roaming' }), 'roaming');
  if (config === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return config;
}

/** What a node says of itself. */
export function nodeRecord(db: Database, node: NodeId, info: NodeInfo, now: Instant): Record {
  return assert(db, nodeKey(node), nodeInfoValue(info), ASSOCIATION_LIFETIME, now);
}

interface Task {
  readonly at: Instant;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until told. */
export class TestClock implements Clock {
  #now: Instant;
  #tasks: Task[] = [];
  #order = 0;

  constructor(start = at(0)) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  schedule(at: Instant, run: () => void): Timer {
    const task = { at: Math.max(at, this.#now) as Instant, order: this.#order++, run };
    this.#tasks.push(task);
    return { cancel: () => void (this.#tasks = this.#tasks.filter((other) => other !== task)) };
  }

  /** Runs what is due within `time`. Throws where that does not come to an end. */
  advance(time: Millis): void {
    const end = after(this.#now, time);
    for (let steps = 0; this.#runNext(end); steps++) {
      if (steps > 2_000_000) throw new Error('the clock does not come to rest');
    }
    this.#now = end;
  }

  /** The same, and promises that can settle do in between. */
  async pass(time: Millis): Promise<void> {
    const end = after(this.#now, time);
    do await turn();
    while (this.#runNext(end));
    this.#now = end;
  }

  #runNext(end: Instant): boolean {
    let next: Task | undefined;
    for (const task of this.#tasks) {
      if (next === undefined || task.at < next.at || (task.at === next.at && task.order < next.order)) next = task;
    }
    if (next === undefined || next.at > end) return false;
    this.#tasks.splice(this.#tasks.indexOf(next), 1);
    this.#now = next.at;
    next.run();
    return true;
  }
}

/** Until promises that can settle have. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lines with their level. */
export class TestLog implements Logger {
  readonly lines: string[] = [];
  error = (message: string) => void this.lines.push(`error ${message}`);
  warn = (message: string) => void this.lines.push(`warn ${message}`);
  info = (message: string) => void this.lines.push(`info ${message}`);
  debug = (message: string) => void this.lines.push(`debug ${message}`);
}

export const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} };
