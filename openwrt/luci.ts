/**
 * What of the LuCI app is made from the sources: the table of options with the daemon's own checks, as a module for the
 * browser, and the template of translations. Run by `make build` and `make luci`, from the top of the repository.
 */
import { build } from 'esbuild';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formOptions } from '../src/config/web.js';

export const APP = 'openwrt/luci-app-roaming';
export const SCHEMA = `${APP}/htdocs/luci-static/resources/roaming/schema.js`;
export const TEMPLATE = `${APP}/po/templates/roaming.pot`;

export async function writeSchema(): Promise<void> {
  writeFileSync(SCHEMA, await generateSchema());
}

export async function writeTemplate(): Promise<void> {
  writeFileSync(TEMPLATE, generateTemplate(await generateSchema()));
}

/** The text of {@link SCHEMA}. Help is marked for translation, so that the scan for the template finds it. */
export async function generateSchema(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['src/config/web.ts'],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'checks',
    target: 'es2020',
    // LuCI's build minifies once more, and takes the spaces out of a template that stands within another.
    supported: { 'template-literal': false },
    minify: true,
    charset: 'ascii',
    conditions: ['@roaming/source'],
    logLevel: 'silent',
  });
  const tables = ['roaming', 'host'].map((type) => `\t${type}: [\n${formOptions(type).map(formatOption).join(',\n')}\n\t]`);
  return `'use strict';
'require baseclass';

/* Made from src/config by \`make build\`: the options of /etc/config/roaming, and the daemon's own checks of them. */

const tables = {
${tables.join(',\n')}
};

${outputFiles[0]!.text.trimEnd()}

return baseclass.extend({
	/* The options of a section type: name, list, widget, choices, preset, help. */
	options(type) {
		return tables[type];
	},

	/* What is wrong with a value; undefined where it is good. */
	checkValue: checks.checkValue,

	/* What is wrong with all sections together, a line each. */
	checkSections: checks.checkSections
});
`;
}

function formatOption({ name, list, widget, choices, preset, help }: ReturnType<typeof formOptions>[number]): string {
  const fields = [
    `name: ${quote(name)}`,
    `list: ${list}`,
    `widget: ${quote(widget)}`,
    `choices: [${choices.map((choice) => ` ${quote(choice)}`).join(',')}${choices.length > 0 ? ' ' : ''}]`,
    `preset: ${preset === undefined ? 'null' : quote(preset)}`,
    `help: _(${quote(help)})`,
  ];
  return `\t\t{ ${fields.join(', ')} }`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** A message with its places, as gettext's templates have them (GNU gettext manual, "The Format of PO Files"). */
interface Message {
  readonly id: string;
  readonly plural: string | undefined;
  readonly places: string[];
}

/** The text of {@link TEMPLATE}, from the JavaScript of the app and the titles in its menu and ACL. */
export function generateTemplate(schema: string): string {
  const messages = new Map<string, Message>();
  const add = (place: string, id: string, plural?: string) => {
    const known = messages.get(id);
    if (known === undefined) messages.set(id, { id, plural, places: [place] });
    else if (!known.places.includes(place)) known.places.push(place);
  };
  for (const file of [...new Set([...files(`${APP}/htdocs`, '.js'), SCHEMA])].sort()) {
    const text = file === SCHEMA ? schema : readFileSync(file, 'utf8');
    for (const [, id] of text.matchAll(/(?<![\w$.])_\('((?:\\.|[^'\\])*)'\)/g)) add(file, unquote(id!));
    for (const [, one, many] of text.matchAll(/N_\([^,]+, '((?:\\.|[^'\\])*)', '((?:\\.|[^'\\])*)'\)/g)) add(file, unquote(one!), unquote(many!));
  }
  for (const file of files(`${APP}/root`, '.json')) {
    for (const [, title] of readFileSync(file, 'utf8').matchAll(/"(?:title|description)": "([^"]+)"/g)) add(file, title!);
  }
  const head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n';
  return head + [...messages.values()].map(formatMessage).join('');
}

function formatMessage({ id, plural, places }: Message): string {
  const lines = places.map((place) => `#: ${place.slice(APP.length + 1)}\n`).join('');
  if (plural === undefined) return `\n${lines}msgid ${JSON.stringify(id)}\nmsgstr ""\n`;
  return `\n${lines}msgid ${JSON.stringify(id)}\nmsgid_plural ${JSON.stringify(plural)}\nmsgstr[0] ""\nmsgstr[1] ""\n`;
}

function unquote(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function files(directory: string, suffix: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => join(directory, name))
    .sort();
}
