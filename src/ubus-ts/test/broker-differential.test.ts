/* The same requests to this broker and to the real ubusd: both send the same. Skipped where ubusd is not installed. */
import t, { type Test } from 'tap';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Broker, MessageType, encodeAttributes, encodeFields, encodeFrame, encodeSignature } from '../src/index.js';
import type { Attributes, Field } from '../src/index.js';
import { Running, needs } from './programs.js';
import { seeded } from './seeded.js';
import { SocketClient, directoryFor, reachable } from './socket-client.js';
import { toHex } from './recordings.js';

type Random = (below: number) => number;

/** A request in which ids stand for what was drawn n-th, as each broker draws its own. */
type Step =
  | { kind: 'request'; client: number; type: number; peer: Ref; attrs: (ids: Ids) => Attributes; outer: number }
  | { kind: 'reconnect'; client: number };
type Ref = (ids: Ids) => number;

/** The ids that one broker has drawn, in order. */
interface Ids {
  clients: number[];
  objects: number[];
  types: number[];
  /** Those that each connection has added and, perhaps, still has. */
  own: number[][];
}

const clients = 5;
const signature = encodeSignature([{ name: 'ping', args: [] }, { name: 'pong', args: [{ name: 'n', type: 5 }] }]);
const badSignature = Uint8Array.of(2, 0, 0, 4);
const texts = ['', 'a', 'ab', 'a*', 'ab*', '*', 'b', 'ubus.x', 'é', 'é*', '\udcff', 'a\0b', 'ping', 'register', 'send', 'query', 'add', 'remove'];

function drawn(list: 'clients' | 'objects' | 'types', random: Random): Ref {
  const position = random(1000);
  return ids => (ids[list].length === 0 ? 1 : ids[list].at(-1 - (position % Math.min(ids[list].length, 12)))!);
}

function anyId(random: Random): Ref {
  const fixed = [0, 1, 2, 3, 4, 1023, 0xffffffff][random(7)]!;
  return random(6) === 0 ? () => fixed : drawn('objects', random);
}

function ownId(client: number, random: Random): Ref {
  const position = random(1000);
  return ids => ids.own[client]!.at(-1 - (position % Math.max(1, Math.min(ids.own[client]!.length, 4)))) ?? 1;
}

function makeStep(random: Random): Step {
  const client = random(clients);
  if (random(60) === 0) return { kind: 'reconnect', client };
  const text = (): string => texts[random(texts.length)]!;
  const chance = <T>(one: number, value: T): T | undefined => (random(one) === 0 ? value : undefined);
  const objid = random(3) === 0 ? anyId(random) : ownId(client, random);
  const target = anyId(random);
  const objtype = drawn('types', random);
  const type = [0, 1, 1, 2, 2, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 8, 8, 8, 8, 8, 9, 9, 10, 10, 10, 10, 11, 12][random(29)]!;
  const event = random(4) === 0;
  const argument = random(4) === 0 ? anyId(random) : ownId(client, random);
  const fields = (ids: Ids): Field[] => [
    { name: 'object', type: 'int32', value: argument(ids) },
    { name: 'pattern', type: 'string', value: pattern },
    { name: 'id', type: 'string', value: name },
    { name: 'data', type: 'table', value: [{ name: 'x', type: 'int8', value: 1 }] },
  ];
  const [pattern, name, method, path] = [text(), text(), event ? ['register', 'send'][random(2)]! : text(), text()];
  const cut = random(6) === 0 ? random(4) : 0;
  const has = { objid: random(8) > 0, method: random(8) > 0, path: random(3) > 0, target: random(8) > 0, data: random(4) > 0 };
  const noReply = chance(2, random(2) === 0);
  const status = chance(2, random(20) - 3);
  const objtypeGiven = random(4) === 0;
  const sign = chance(2, random(6) === 0 ? badSignature : signature);
  return {
    kind: 'request',
    client,
    type,
    outer: random(20) === 0 ? random(256) : 0,
    peer: random(2) === 0 ? drawn('clients', random) : objid,
    attrs: ids => ({
      ...(status !== undefined && { status }),
      ...(has.path && { objpath: path }),
      ...(has.objid && { objid: event ? 1 : objid(ids) }),
      ...(has.method && { method }),
      ...(objtypeGiven && { objtype: objtype(ids) }),
      ...(sign && { signature: sign }),
      ...(has.data && { data: encodeFields(fields(ids).slice(cut)) }),
      ...(has.target && { target: target(ids) }),
      ...(noReply !== undefined && { noReply }),
    }),
  };
}

/** Plays the steps and returns what each client was sent after each, ids replaced by what they stand for. */
async function transcript(t: Test, path: string, steps: readonly Step[]): Promise<string[]> {
  const ids: Ids = { clients: [], objects: [], types: [], own: Array.from({ length: clients }, () => []) };
  const sockets: SocketClient[] = [];
  const open = async (index: number): Promise<void> => {
    const socket = new SocketClient(path);
    sockets[index] = socket;
    ids.clients.push((await socket.until(({ type }) => type === MessageType.hello)).peer);
    t.teardown(() => socket.socket.destroy());
  };
  for (let i = 0; i < clients; i++) await open(i);
  let ping = 0x8000;
  /** The broker answers in order: when the PINGs are back, everything before them is, too. */
  const settle = async (first: number): Promise<void> => {
    for (const socket of [sockets[first]!, ...sockets]) {
      const seq = (ping = 0x8000 | (ping + 1));
      await socket.status(MessageType.ping, seq, {});
    }
  };
  const lines: string[] = [];
  for (const [number, step] of steps.entries()) {
    if (step.kind === 'reconnect') {
      const { socket } = sockets[step.client]!;
      socket.destroy();
      ids.own[step.client] = [];
      await open(step.client);
    } else {
      const { client, type, outer } = step;
      const body = encodeAttributes(step.attrs(ids));
      sockets[client]!.socket.write(encodeFrame({ type, seq: number, peer: step.peer(ids), body, outer }));
    }
    await settle(step.client);
    if (step.kind === 'request' && step.type === MessageType.addObject) learn(ids, step.client, sockets[step.client]!, number);
    for (const [index, socket] of sockets.entries()) {
      for (const { seq, bytes } of socket.received.splice(0)) {
        if (seq < 0x8000) lines.push(`${number} ${index}: ${named(toHex(bytes), ids)}`);
      }
    }
  }
  return lines;
}

/** Takes the ids from the answer to the ADD_OBJECT with this seq. */
function learn(ids: Ids, client: number, socket: SocketClient, request: number): void {
  const data = socket.received.find(({ type, seq }) => type === MessageType.data && seq === request);
  if (data === undefined) return;
  const { objid, objtype } = data.attrs;
  ids.objects.push(objid!);
  ids.own[client]!.push(objid!);
  if (objtype !== undefined) ids.types.push(objtype);
}

/** Everything lies at multiples of 4 bytes, so an id is found as it is written. */
function named(hex: string, ids: Ids): string {
  return (hex.match(/.{1,8}/g) ?? []).map(word => {
    for (const list of ['clients', 'objects', 'types'] as const) {
      const position = ids[list].indexOf(parseInt(word, 16));
      if (position >= 0) return `<${list} ${position}>`;
    }
    return word;
  }).join(' ');
}

for (let seed = 1; seed <= 10; seed++) {
  t.test(`seed ${seed}`, { ...needs('ubusd'), timeout: 60_000 }, async t => {
    const directory = await directoryFor(t);
    await writeFile(join(directory, 'acl.json'), JSON.stringify({ user: 'nobody', access: { 'a*': { methods: ['ping'], acl: { n: 1 } } } }));
    const [realPath, ourPath] = [join(directory, 'real.sock'), join(directory, 'our.sock')];
    const ubusd = new Running('ubusd', ['-s', realPath, '-A', directory]);
    t.teardown(() => ubusd.stop());
    await reachable(realPath);
    const broker = new Broker({ path: ourPath, acl: directory });
    await broker.listen();
    t.teardown(() => broker.close());
    const random = seeded(seed);
    const steps = Array.from({ length: 400 }, () => makeStep(random));
    const [expected, got] = [await transcript(t, realPath, steps), await transcript(t, ourPath, steps)];
    t.ok(expected.length > 200, `${expected.length} messages`);
    const different = expected.findIndex((line, i) => line !== got[i]);
    t.equal(different < 0 ? undefined : got[different], expected[different], 'the first difference');
    t.same(got, expected);
  });
}
