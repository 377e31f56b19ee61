/** What a program in the virtual machine found, in the Test Anything Protocol. */
import { Cleanup } from '../lab/shell.js';

let tests = 0;
let failures = 0;

export function ok(passed: boolean, what: string): void {
  tests++;
  if (!passed) failures++;
  process.stdout.write(`${passed ? 'ok' : 'not ok'} ${tests} - ${what}\n`);
}

export function note(text: string): void {
  process.stdout.write(`# ${text}\n`);
}

/** Runs the program, prints the summary, and ends the process: what the program leaves ends with the machine. */
export async function runChecks(program: (cleanup: Cleanup) => Promise<void>): Promise<never> {
  try {
    await program(new Cleanup());
  } catch (error) {
    ok(false, (error as Error).message.split('\n')[0]!);
    note(String((error as Error).stack));
  }
  process.stdout.write(`1..${tests}\n# ${tests - failures} passed, ${failures} failed, ${(performance.now() / 1000).toFixed(0)} s\n`);
  process.exit(failures === 0 ? 0 : 1);
}
