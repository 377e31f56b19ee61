/* What the `ubus` command does and prints, on top of the client. */
import { decodeFields, decodeSignature, formatJson, formatSignature, parseJson, type Attributes, type Field, type MonitoredMessage, type UbusClient } from '../src/index.js';

/** Splits a command line as a shell does, as far as the recordings need it. */
export function splitCommand(command: string): string[] {
  const words = command.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
  return words.map(word => word.replace(/'([^']*)'|\\(.)/g, (_, quoted: string | undefined, escaped: string | undefined) => quoted ?? escaped ?? ''));
}

interface Options {
  simple: boolean;
  verbose: boolean;
  timeout: number;
  types: Set<string>;
  direction: string | undefined;
  rest: string[];
}

function parseOptions(words: readonly string[]): Options {
  const options: Options = { simple: false, verbose: false, timeout: 30, types: new Set(), direction: undefined, rest: [] };
  const args = words.slice(1);
  for (let word = args.shift(); word !== undefined; word = args.shift()) {
    if (word === '-S') options.simple = true;
    else if (word === '-v') options.verbose = true;
    else if (word === '-t') options.timeout = Number(args.shift());
    else if (word === '-m') options.types.add(args.shift()!);
    else if (word === '-M') options.direction = args.shift();
    else options.rest.push(word);
  }
  return options;
}

/** Runs a command line; `print` gets its output. Resolves when the command would end, or for those that go on, once they are set up. */
export async function runCommand(client: UbusClient, command: string, print: (text: string) => void): Promise<void> {
  const options = parseOptions(splitCommand(command));
  const [name, ...args] = options.rest;
  switch (name) {
    case 'list': return list(client, args[0], options, print);
    case 'call': {
      const data = parseJson(args[2] ?? '{}');
      return client.invoke(args[0]!, args[1]!, data, part => print(formatJson(part, { indent: !options.simple }) + '\n'), { timeout: options.timeout * 1000 });
    }
    case 'listen':
      return listenTo(client, args.length === 0 ? ['*'] : args, print);
    case 'subscribe':
      for (const path of args) await client.subscribe(path, (type, _, { fields }) => print(`{ "${type}": ${formatJson(fields)} }\n`));
      return;
    case 'send': return client.send(args[0]!, parseJson(args[1] ?? '{}'));
    case 'wait_for': return client.waitFor(args, { timeout: options.timeout * 1000 });
    case 'monitor': return void (await client.monitor(message => print(formatMonitored(message, options))));
    default: throw new Error(`no command ${name}`);
  }
}

async function list(client: UbusClient, pattern: string | undefined, options: Options, print: (text: string) => void): Promise<void> {
  for (const { path, id, methods } of await client.list(pattern)) {
    print(options.verbose && !options.simple ? formatSignature(path, id, methods) : `${path}\n`);
  }
}

async function listenTo(client: UbusClient, patterns: readonly string[], print: (text: string) => void): Promise<void> {
  await client.listen(patterns, (name, _, fields) => print(`{ "${name}": ${formatJson(fields)} }\n`));
}

function formatMonitored(message: MonitoredMessage, { types, direction }: Options): string {
  const name = message.typeName.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
  if (types.size > 0 && !types.has(name)) return '';
  if (direction === 't' && !message.send) return '';
  if (direction === 'r' && message.send) return '';
  const hex = (id: number): string => id.toString(16).padStart(8, '0');
  return `${message.send ? '->' : '<-'} ${hex(message.client)} #${hex(message.peer)} ${name.padStart(14)}: ${formatJson(monitoredFields(message.attrs))}\n`;
}

/** The attributes as fields, in the order of their numbers, as the command shows them. */
function monitoredFields(attrs: Attributes): Field[] {
  const int = (name: string, value: number | undefined): Field[] => (value === undefined ? [] : [{ name, type: 'int32', value }]);
  const flag = (name: string, value: boolean | undefined): Field[] => (value === undefined ? [] : [{ name, type: 'int8', value: Number(value) }]);
  const text = (name: string, value: string | undefined): Field[] => (value === undefined ? [] : [{ name, type: 'string', value }]);
  const table = (name: string, value: Uint8Array | undefined): Field[] => (value === undefined ? [] : [{ name, type: 'table', value: decodeFields(value) }]);
  const signature = attrs.signature === undefined || decodeSignature(attrs.signature).length === 0 ? undefined : attrs.signature;
  return [
    ...int('status', attrs.status),
    ...text('objpath', attrs.objpath),
    ...int('objid', attrs.objid),
    ...text('method', attrs.method),
    ...int('objtype', attrs.objtype),
    ...table('signature', signature),
    ...table('data', attrs.data),
    ...int('target', attrs.target),
    ...flag('active', attrs.active),
    ...flag('no_reply', attrs.noReply),
    ...text('user', attrs.user),
    ...text('group', attrs.group),
  ];
}
