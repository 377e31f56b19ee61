import type { Logger } from '../ports.js';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

/**
 * Lines for procd, which hands stdout to the system log as daemon.info and stderr as daemon.err. A line is one line:
 * what comes from outside cannot begin another.
 */
export class StreamLogger implements Logger {
  constructor(public level: LogLevel) {}

  #write(level: LogLevel, message: string): void {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.level)) return;
    const stream = level === 'error' || level === 'warn' ? process.stderr : process.stdout;
    const prefix = level === 'warn' ? 'warning: ' : level === 'debug' ? 'debug: ' : '';
    stream.write(`${prefix}${message.replace(/[\x00-\x1f\x7f]+/g, ' ')}\n`);
  }

  error(message: string): void {
    this.#write('error', message);
  }

  warn(message: string): void {
    this.#write('warn', message);
  }

  info(message: string): void {
    this.#write('info', message);
  }

  debug(message: string): void {
    this.#write('debug', message);
  }
}
