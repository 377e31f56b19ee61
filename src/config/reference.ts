/** The commented /etc/config/roaming of the package: every option with its help, its type and its default. */
import type { Schema } from './schema.js';
import { schema, uciName } from './schema.js';

/** What a value may look like, for options that have no default. */
const EXAMPLES: { readonly [key in keyof Schema]?: readonly string[] } = {
  interface: ['client'],
  prefix: ['10.44.0.0/16', 'fd44:44:44::/48'],
  gateway: ['10.44.0.1'],
  dns: ['10.44.0.1'],
  domain: ['mesh.example.org'],
  key: ['as roaming keygen prints it'],
  peer: ['192.0.2.1', '[2001:db8::1]:4444'],
  meshInterface: ['mesh'],
  nodeAddress: ['192.0.2.1'],
  search: ['mesh.example.org'],
  ntp: ['192.0.2.123'],
  route: ['192.0.2.0/24', '198.51.100.0/24,10.44.0.2'],
  mtu: ['1500'],
  captivePortal: ['https://portal.example.org/api'],
  ipv6OnlyWait: ['30m'],
  pref64: ['64:ff9b::/96'],
  nodeId: ['0123456789abcdef'],
  exclude: ['10.44.0.2'],
  relay: ['192.0.2.0/24'],
  presence: ['hostapd', 'fdb@br-client'],
  ignoreSsid: ['guests'],
  gatewayLinkLocal: ['fe80::200:5eff:fe00:5213'],
};

const WIDTH = 100;

const HEAD = `# How clients roam between this router and others: see README of the package, or 'roaming --help'.
# 'roaming setup' writes what is needed here and in the other files; 'roaming check' says what is wrong.
# Lines with # show each option with its default, or with an example where it has none.

config roaming 'main'
`;

/** {@link hostSchema}, as an example. */
const HOST = `
# An IPv4 address that is one client's for ever, the same on every router.
#config host
#\toption name 'printer'
#\tlist mac '00:00:5e:00:53:01'
#\toption ip '10.44.0.10'
`;

/** The file as the package installs it: not enabled, all else at its default. */
export function referenceConfiguration(): string {
  const keys = Object.keys(schema) as (keyof Schema)[];
  return HEAD + keys.map(describeOption).join('') + HOST;
}

function describeOption(key: keyof Schema): string {
  const { kind, type, help } = schema[key];
  const comment = wrap(`${help.replaceAll('`', "'")} (${type.label})`).map((line) => `\t# ${line}\n`);
  const values = valuesOf(key).map((value) => `${kind} ${uciName(key)} '${value}'\n`);
  const lead = key === 'enabled' ? '\t' : '\t#';
  return `\n${comment.join('')}${values.map((line) => lead + line).join('')}`;
}

function valuesOf(key: keyof Schema): readonly string[] {
  const entry = schema[key];
  if (entry.kind === 'option' && entry.preset !== undefined) return [entry.preset];
  return EXAMPLES[key] ?? [entry.type.label];
}

/** Lines of at most {@link WIDTH} characters, broken at blanks. */
function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
