/* Plays what clients once sent to ubusd to the broker's core, and collects what that sends to each of them. */
import { BrokerCore, MessageType, aclRules, decodeMessage, parseJson } from '../src/index.js';
import type { Accounts, BrokerClient, Credentials, IdKind } from '../src/index.js';
import { fromHex, toHex, type Recording, type RecordedFrame } from './recordings.js';

/** What recordings say beyond what decoding them needs. */
export interface PlayableRecording extends Recording {
  credentials: { user: string; group: string };
  acl?: Record<string, unknown>;
  aclReload?: { afterFrame: number; file: string; content: unknown }[];
  trailing?: { c2s?: string };
}

/** One connection of a scenario, played. */
export interface Played {
  recording: PlayableRecording;
  /** What the broker sent, as hex. */
  sent: string[];
  /** Whether the broker ended the connection. */
  closed: boolean;
}

/** The accounts of the machine of the recordings. */
export const accounts: Accounts = {
  uid: user => ({ root: 0, nobody: 65534 })[user],
  gid: group => ({ root: 0, nogroup: 65534 })[group],
};

export function credentialsOf({ user, group }: { user: string; group: string }): Credentials {
  return { uid: accounts.uid(user)!, gid: accounts.gid(group)!, user, group };
}

type Step = { n: number; order: number; run: () => void };

/** Plays all connections of one scenario in the order in which things happened. */
export function play(recordings: readonly PlayableRecording[]): Played[] {
  const ids: Record<IdKind, number[]> = { client: [], object: [], type: [] };
  const files = new Map(recordings.flatMap(({ acl }) => Object.entries(acl ?? {})));
  const rules = () => [...files].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, file]) => aclRules(parseJson(JSON.stringify(file)), accounts));
  const start = (): BrokerCore => {
    const fresh = new BrokerCore(kind => ids[kind].shift() ?? 0xfffffff0);
    if (files.size > 0) fresh.setAcl(rules());
    return fresh;
  };
  let core = start();
  let down = false;
  const steps: Step[] = [];
  const connections = recordings.map((recording): Played => {
    const played: Played = { recording, sent: [], closed: false };
    let client: BrokerClient | undefined;
    const connection = {
      write: (message: Uint8Array) => {
        played.sent.push(toHex(message));
        return true;
      },
      pause: () => {},
      close: () => {
        played.closed = true;
      },
    };
    recording.frames.forEach((frame, index) => {
      if (frame.dir === 'c2s') {
        steps.push({ n: frame.n, order: 1, run: () => {
          for (const kind of ['object', 'type'] as const) ids[kind] = expectedIds(recording.frames, index)[kind];
          core.receive(client!, fromHex(frame.hex));
        } });
      } else if (index === 0) {
        steps.push({ n: frame.n, order: 1, run: () => {
          if (down) core = start();
          down = false;
          ids.client = [decodeMessage(fromHex(frame.hex)).peer];
          client = core.connect(connection, credentialsOf(recording.credentials));
        } });
      }
    });
    steps.push({ n: recording.closedAt, order: 0, run: () => {
      const trailing = recording.trailing?.c2s;
      if (trailing !== undefined) core.receive(client!, fromHex(trailing));
      if (recording.closedBy === 'client') core.disconnect(client!);
      else if (trailing === undefined) down = true;
    } });
    for (const { afterFrame, file, content } of recording.aclReload ?? []) {
      steps.push({ n: afterFrame, order: 2, run: () => {
        files.set(file, content);
        core.setAcl(rules());
      } });
    }
    return played;
  });
  steps.sort((a, b) => a.n - b.n || a.order - b.order);
  for (const { run } of steps) run();
  return connections;
}

/** The ids that ubusd drew for the ADD_OBJECT at `index`, by its answer; none for other messages. */
function expectedIds(frames: readonly RecordedFrame[], index: number): { object: number[]; type: number[] } {
  const none = { object: [], type: [] };
  const request = frames[index]!;
  if (request.msg?.type !== 'ADD_OBJECT') return none;
  for (const frame of frames.slice(index + 1)) {
    if (frame.dir !== 's2c' || frame.msg?.seq !== request.msg.seq || frame.msg.peer !== request.msg.peer) continue;
    if (frame.msg.type !== 'DATA') return none;
    const { type, attrs } = decodeMessage(fromHex(frame.hex));
    if (type !== MessageType.data || attrs.objid === undefined) return none;
    return { object: [attrs.objid], type: attrs.objtype === undefined ? [] : [attrs.objtype] };
  }
  return none;
}

/** All scenarios by name, each with its connections. */
export function scenarios(recordings: readonly Recording[]): Map<string, PlayableRecording[]> {
  const byName = new Map<string, PlayableRecording[]>();
  for (const recording of recordings as readonly PlayableRecording[]) {
    byName.set(recording.scenario, [...(byName.get(recording.scenario) ?? []), recording]);
  }
  return byName;
}
