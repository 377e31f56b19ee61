/** Running programs, and putting everything back in reverse order at the end. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Runs a program to its end. Rejects with its own words where it fails. */
export function run(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}

/** `ip` with words separated by blanks. */
export function ip(words: string): Promise<string> {
  return run('ip', ...words.split(' '));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Tries until `check` gives something other than undefined or false, at most `seconds`; then says `what` did not come. */
export async function until<T>(what: string, seconds: number, check: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(50);
  }
}

/** Things to undo, undone last first; each is tried whatever became of the others. */
export class Cleanup {
  #tasks: (() => unknown)[] = [];

  add(task: () => unknown): void {
    this.#tasks.push(task);
  }

  async run(): Promise<void> {
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
  ) {
    this.child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    }
    this.child.on('error', (error) => this.#take(`${this.name}: ${error.message}\n`));
  }

  #take(text: string): void {
    this.output = (this.output + text).slice(-1_000_000);
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    lines.forEach((line) => this.onLine(line));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  /** Sends the signal and waits for the end; SIGKILL after five seconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  }
}
