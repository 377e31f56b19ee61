/* The real ubus programs, where the machine has them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';

/** The full path of a program on PATH. */
export function program(name: string): string | undefined {
  return (process.env['PATH'] ?? '').split(delimiter).map(directory => join(directory, name)).find(path => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Options for a test that needs these programs: without one of them it is skipped, saying so. */
export function needs(...names: string[]): { skip?: string } {
  const missing = names.filter(name => program(name) === undefined);
  return missing.length === 0 ? {} : { skip: `no ${missing.join(', ')} on PATH` };
}

/** A program that runs until it ends or is stopped. */
export class Running {
  stdout = '';
  stderr = '';
  readonly process: ChildProcess;
  readonly #exit: Promise<unknown[]>;

  constructor(name: string, args: readonly string[]) {
    this.process = spawn(program(name) ?? name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout!.setEncoding('utf8').on('data', text => (this.stdout += text));
    this.process.stderr!.setEncoding('utf8').on('data', text => (this.stderr += text));
    this.#exit = once(this.process, 'close');
  }

  /** Waits for the end and returns the exit code, or the signal. */
  async end(): Promise<number | string> {
    const [code, signal] = (await this.#exit) as [number | null, string | null];
    return code ?? signal ?? '';
  }

  /** Stops the program, which may still finish what it prints. Asks again and again: libubox forgets a signal before its loop runs. */
  async stop(): Promise<number | string> {
    this.process.kill('SIGTERM');
    const again = setInterval(() => this.process.kill('SIGTERM'), 300);
    try {
      return await this.end();
    } finally {
      clearInterval(again);
    }
  }
}
