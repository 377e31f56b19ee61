/** Running programs, and putting everything back in reverse order at the end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * All programs run in process groups of their own: Ctrl-C reaches the lab alone, which then ends them in its own order.
 */
const DETACHED = { detached: true } as const;

/** Runs a program to its end. Rejects with its own words where it fails. */
export async function run(program: string, ...args: string[]): Promise<string> {
  interruption.check();
  const child = spawn(program, args, { ...DETACHED, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim() || `ended with ${code}`}`);
  return stdout;
}

/** The exit code, or the signal that ended the program. Rejects where it could not be started. */
function ended(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve(code ?? signal ?? 'no exit code'));
  });
}

/** `ip` with words separated by blanks. */
export function ip(words: string): Promise<string> {
  return run('ip', ...words.split(' '));
}

export async function sleep(ms: number): Promise<void> {
  interruption.check();
  await delay(ms, undefined, { signal: interruption.signal }).catch(() => {});
  interruption.check();
}

/** Does several things at once. Rejects as one of them does, but not before all have ended: nothing goes on unseen. */
export async function all(tasks: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** What was under way was interrupted: by Ctrl-C, mostly. */
export class Interrupted extends Error {}

/** From the moment it is raised every step of the lab rejects; once things are being put back it is too late for it. */
class Interruption {
  #controller = new AbortController();
  #cleaning = false;

  raise(): void {
    this.#controller.abort();
  }

  disregard(): void {
    this.#cleaning = true;
  }

  check(): void {
    if (this.signal.aborted && !this.#cleaning) throw new Interrupted('interrupted');
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
}

export const interruption = new Interruption();

/** By how much this machine may be slower than an idle one: other tests run beside, and in an emulated one all takes its time. */
export const PATIENCE = Number(process.env['LAB_PATIENCE'] ?? 3);

/** Tries until `check` gives something other than undefined or false, at most `seconds` of an idle machine; then says `what` did not come. */
export async function until<T>(what: string, seconds: number, check: () => Promise<T | undefined | false>): Promise<T> {
  const patience = seconds * PATIENCE;
  const end = Date.now() + patience * 1000;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${patience} s`);
    await sleep(50);
  }
}

/** Things to undo, undone last first; each is tried whatever became of the others. */
export class Cleanup {
  #tasks: (() => unknown)[] = [];
  #running: Promise<void> | undefined;

  /** To be called before the thing is made, or right after it without waiting for anything in between. */
  add(task: () => unknown): void {
    this.#tasks.push(task);
  }

  /** Once what made the things has ended. Called again, it waits for the same end. */
  run(): Promise<void> {
    this.#running ??= this.#undo().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #undo(): Promise<void> {
    interruption.disregard();
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task();
      } catch (error) {
        process.stderr.write(`while cleaning up: ${(error as Error).message}\n`);
      }
    }
  }
}

/** A program that runs until it is stopped; what it prints is kept. */
export class Service {
  readonly child: ChildProcess;
  output = '';
  /** A line of output, as it comes. */
  onLine: (line: string) => void = () => {};
  #rest = '';

  constructor(
    readonly name: string,
    command: readonly string[],
    stdin: 'ignore' | 'pipe' = 'ignore',
  ) {
    this.child = spawn(command[0]!, command.slice(1), { ...DETACHED, stdio: [stdin, 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk));
    }
    this.child.on('error', (error) => this.#take(`${this.name}: ${error.message}\n`));
  }

  #take(chunk: string): void {
    this.output = (this.output + chunk).slice(-1_000_000);
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop()!;
    lines.forEach((line) => this.onLine(line));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  /** What it ended with, for a person: its last words may still be on their way. */
  get ending(): string {
    const { exitCode, signalCode } = this.child;
    return signalCode ?? `exit code ${exitCode}`;
  }

  /** Sends the signal and waits for the end; SIGKILL after five seconds of an idle machine. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000 * PATIENCE);
    await ended;
    clearTimeout(timer);
  }
}
