/* The real programs, where they are installed. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why tests against the real programs cannot run; false if they can. */
export const missing: string | false = onPath('ubusd') && onPath('ubus') ? false : 'no ubusd and ubus on PATH';

/** What a program printed, and its exit code. */
export interface Result {
  stdout: string;
  stderr: string;
  exit: number;
}

/** A ubusd of our own, on a socket in a folder of its own. */
export class RealUbusd {
  readonly folder = mkdtempSync(join(tmpdir(), 'ubus-ts-'));
  readonly socket = join(this.folder, 'ubus.sock');
  readonly #children: ChildProcess[] = [];
  #daemon: ChildProcess | undefined;

  async start(): Promise<void> {
    this.#daemon = spawn('ubusd', ['-s', this.socket, '-A', this.folder], { stdio: 'ignore' });
    await eventually(() => existsSync(this.socket));
  }

  /** Ends ubusd, and waits until it has. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon !== undefined) await end(daemon);
    rmSync(this.socket, { force: true });
  }

  /** Ends everything and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.#children.map(end));
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes an ACL file, and has ubusd read its files again. */
  writeAcl(name: string, acl: object): void {
    writeFileSync(join(this.folder, name), JSON.stringify(acl), { mode: 0o644 });
    this.#daemon?.kill('SIGHUP');
  }

  /** Runs `ubus` to its end. */
  ubus(...args: string[]): Promise<Result> {
    return new Promise(resolve => {
      execFile('ubus', ['-s', this.socket, ...args], { timeout: 20_000, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
        resolve({ stdout, stderr, exit: error === null ? 0 : Number(error.code ?? 255) });
      });
    });
  }

  /** Starts `ubus` in the background; the result tells what it has printed so far. */
  background(...args: string[]): { output: () => string; exit: Promise<number>; stop: () => Promise<void> } {
    const child = spawn('ubus', ['-s', this.socket, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const exit = new Promise<number>(resolve => child.on('exit', code => resolve(code ?? 255)));
    return { output: () => output, exit, stop: () => end(child) };
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise(resolve => child.on('exit', resolve));
  child.kill();
  await ended;
}

/** Waits until `condition` holds; throws after ten seconds. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 1000) throw new Error('it never happened');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
