/** What ISC's perfdhcp prints, read. */

export interface PerfDhcp {
  /** Whole exchanges, of four messages, in a second. */
  readonly rate: number;
  /** Exchanges begun, and those that came to their end. */
  readonly begun: number;
  readonly done: number;
  /** Milliseconds from each message to its answer. */
  readonly offerDelays: readonly number[];
  readonly ackDelays: readonly number[];
}

const seconds = (text: string) => Number(text);

/** Of its output with `-x t`. Throws where that is something else. */
export function readPerfDhcp(output: string): PerfDhcp {
  const rate = /^Rate: ([\d.]+) 4-way/m.exec(output)?.[1];
  const [begun] = packets(output, 'DISCOVER-OFFER');
  const [, done] = packets(output, 'REQUEST-ACK');
  if (rate === undefined || begun === undefined || done === undefined) throw new Error(`perfdhcp said:\n${output.slice(-2000)}`);
  return { rate: Number(rate), begun, done, offerDelays: delays(output, 'DISCOVER-OFFER'), ackDelays: delays(output, 'REQUEST-ACK') };
}

/** Sent and received. */
function packets(output: string, exchange: string): (number | undefined)[] {
  const part = output.split(`***Statistics for: ${exchange}***`)[1]?.split('***')[0] ?? '';
  return [/^sent packets: (\d+)/m, /^received packets: (\d+)/m].map((pattern) => {
    const found = pattern.exec(part)?.[1];
    return found === undefined ? undefined : Number(found);
  });
}

function delays(output: string, exchange: string): number[] {
  const part = output.split(`***Timestamps for packets: ${exchange}***`)[1]?.split('***')[0] ?? '';
  return [...part.matchAll(/^sent \/ received: (\d+\.\d+) \/ (\d+\.\d+)/gm)].map(
    ([, sent, received]) => (seconds(received!) - seconds(sent!)) * 1000,
  );
}

/** NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}
