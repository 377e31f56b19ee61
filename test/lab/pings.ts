/** What a stream of pings says: how many answers are missing, and how long nothing came through. */

/** Answers by sequence number: when the question was sent, in milliseconds from the first. */
export interface PingLog {
  readonly interval: number;
  /** Time of arrival of each answer, in order of arrival. */
  readonly answers: { readonly sequence: number; readonly sent: number }[];
}

export interface Gap {
  /** Questions without an answer. */
  readonly lost: number;
  /** Longest run of unanswered questions, in milliseconds. */
  readonly longest: number;
}

/** A line of `ping -D`: `[1700000000.123456] 64 bytes from 10.44.3.7: icmp_seq=5 ttl=61 time=0.321 ms`. */
export function readPingLine(line: string): { sequence: number; sent: number } | undefined {
  const match = /^\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+) .*time=([\d.]+) ms/.exec(line);
  if (match === null) return undefined;
  return { sequence: Number(match[2]), sent: Number(match[1]) * 1000 - Number(match[3]) };
}

/** What was lost among the questions sent from `from` to `to` (milliseconds since 1970). */
export function gapBetween(answers: readonly { sequence: number; sent: number }[], from: number, to: number): Gap {
  const window = answers.filter(({ sent }) => sent >= from && sent <= to);
  let lost = 0;
  let longest = 0;
  for (let i = 1; i < window.length; i++) {
    const missing = window[i]!.sequence - window[i - 1]!.sequence - 1;
    if (missing <= 0) continue;
    lost += missing;
    longest = Math.max(longest, window[i]!.sent - window[i - 1]!.sent);
  }
  return { lost, longest };
}

/** Runs of questions without an answer, longer than `shortest` milliseconds, that reach into the time from `from` to `to`. */
export function silencesBetween(
  answers: readonly { sequence: number; sent: number }[],
  from: number,
  to: number,
  shortest: number,
): { from: number; to: number }[] {
  return answers.slice(1).flatMap((answer, i) => {
    const before = answers[i]!;
    const silence = { from: before.sent, to: answer.sent };
    const reaches = silence.to > from && silence.from < to && silence.to - silence.from > shortest;
    return reaches && answer.sequence > before.sequence + 1 ? [silence] : [];
  });
}
