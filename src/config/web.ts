/**
 * The table of options for the web form, and the daemon's own checks of what is typed into it. Bundled for the browser by
 * `make luci`: what the form takes the daemon takes, and with the same words for what is wrong.
 */
import { parse } from 'uci-parser';
import { readConfig } from './config.js';
import type { OptionTable } from './schema.js';
import { hostSchema, schema, uciName } from './schema.js';

/** Which widget an option needs; all but `text` have no more than a few values or characters to type wrong. */
export type Widget = 'flag' | 'choice' | 'secret' | 'text';

export interface FormOption {
  readonly name: string;
  readonly list: boolean;
  readonly widget: Widget;
  /** What a value is: `integer 1-65535`. */
  readonly type: string;
  /** The values of a choice. */
  readonly choices: readonly string[];
  /** Undefined where there is none. */
  readonly preset: string | undefined;
  readonly help: string;
}

const TABLES: { readonly [type: string]: OptionTable } = { roaming: schema, host: hostSchema };

/** The options of a section type, `roaming` or `host`, in the order of the table. */
export function formOptions(type: string): FormOption[] {
  return Object.entries(TABLES[type] ?? {}).map(([key, entry]) => {
    const { label } = entry.type;
    const choices = label.includes(' or ') ? label.split(' or ') : [];
    return {
      name: uciName(key),
      list: entry.kind === 'list',
      widget: widgetOf(label, choices),
      type: label,
      choices,
      preset: entry.kind === 'list' ? undefined : entry.preset,
      help: entry.help,
    };
  });
}

function widgetOf(label: string, choices: readonly string[]): Widget {
  if (label === 'boolean') return 'flag';
  if (choices.length > 0) return 'choice';
  return label === 'secret' ? 'secret' : 'text';
}

/** What is wrong with one value; undefined where it is good. */
export function checkValue(type: string, name: string, text: string): string | undefined {
  const entry = Object.entries(TABLES[type] ?? {}).find(([key]) => uciName(key) === name)?.[1];
  if (entry === undefined) return 'unknown option';
  try {
    entry.type.read(text);
    return undefined;
  } catch (error) {
    return `expected ${(error as Error).message}`;
  }
}

/** A section as LuCI's uci module holds it: keys that begin with a dot are about the section. */
export interface FormSection {
  readonly '.type': string;
  readonly '.name': string;
  readonly '.anonymous'?: boolean;
  readonly [option: string]: unknown;
}

/** What is wrong with the sections as a whole, a line each: `main.peer: there is no key, ...`. */
export function checkSections(sections: readonly FormSection[]): string[] {
  const text = sections.map(formatSection).join('');
  const file = '/etc/config/roaming';
  const { problems } = readConfig(parse(new TextEncoder().encode(text), { name: 'roaming', file }), file);
  return problems.map(({ section, option, message }) => {
    const what = [section, option].filter((word) => word !== undefined).join('.');
    return what === '' ? message : `${what}: ${message}`;
  });
}

function formatSection(section: FormSection): string {
  const name = section['.anonymous'] === true ? '' : ` ${quote(section['.name'])}`;
  const options = Object.entries(section).filter(([option]) => !option.startsWith('.'));
  const lines = options.flatMap(([option, value]) =>
    Array.isArray(value) ? value.map((item) => `list ${option} ${quote(item)}`) : [`option ${option} ${quote(value)}`],
  );
  return `config ${section['.type']}${name}\n${lines.map((line) => `\t${line}\n`).join('')}`;
}

/** Single quotes hold everything but a single quote. */
function quote(value: unknown): string {
  return `'${String(value).replaceAll("'", `'\\''`)}'`;
}
