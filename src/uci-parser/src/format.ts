import type { Option, Package, Section, Value } from './model.js';

/** How `show` and `formatValue` print. */
export interface ShowOptions {
  /** Anonymous sections by made-up name instead of `@type[index]`, as `uci -X`. */
  readonly names?: boolean;
  /** Between the items of a list, as `uci -d`; a blank by default. */
  readonly delimiter?: string;
}

/** How `exportPackage` prints. */
export interface ExportOptions {
  /** Anonymous sections with their made-up names, as `uci -n`. */
  readonly names?: boolean;
  /** False leaves out the `package` line: the form of a file in /etc/config. */
  readonly header?: boolean;
}

function escape(text: string): string {
  return text.replaceAll("'", "'\\''");
}

/** A word in single quotes, as export and the staged changes write it. */
export function quote(text: string): string {
  return `'${escape(text)}'`;
}

/** The lines of one option, as export writes them; none for a list without items. */
function exportOption(option: Option): string {
  const name = escape(option.name);
  if (typeof option.value === 'string') return `\toption ${name} ${quote(option.value)}\n`;
  return option.value.map((item) => `\tlist ${name} ${quote(item)}\n`).join('');
}

/** The lines of one section, without the empty line before it. */
export function exportSection(section: Section, options: ExportOptions = {}): string {
  const named = !section.anonymous || options.names === true;
  const name = named ? ` ${quote(section.name)}` : '';
  return `config ${escape(section.type)}${name}\n${[...section.options].map(exportOption).join('')}`;
}

/** A whole package as `uci export` prints it. */
export function exportPackage(owner: Package, options: ExportOptions = {}): string {
  const header = options.header === false ? '' : `package ${escape(owner.name)}\n`;
  return `${header}${owner.sections.map((section) => `\n${exportSection(section, options)}`).join('')}\n`;
}

/** A value as `uci get` prints it, without the newline: list items in quotes only if they hold white space. */
export function formatValue(value: Value, options: ShowOptions = {}): string {
  if (typeof value === 'string') return value;
  const items = value.map((item) => (/[ \t\r\n]/.test(item) ? quote(item) : item));
  return items.join(options.delimiter ?? ' ');
}

function showLine(prefix: string, option: Option, options: ShowOptions): string {
  const values = typeof option.value === 'string' ? [option.value] : option.value;
  return `${prefix}.${option.name}=${values.map(quote).join(options.delimiter ?? ' ')}\n`;
}

function showAs(prefix: string, section: Section, options: ShowOptions): string {
  const lines = [...section.options].map((option) => showLine(prefix, option, options));
  return `${prefix}=${section.type}\n${lines.join('')}`;
}

/** One option as `uci show package.section.option` prints it: by the section's name. */
export function showOption(section: Section, option: Option, options: ShowOptions = {}): string {
  return showLine(`${section.package.name}.${section.name}`, option, options);
}

/** One section as `uci show package.section` prints it: by its name, made-up or not. */
export function showSection(section: Section, options: ShowOptions = {}): string {
  return showAs(`${section.package.name}.${section.name}`, section, options);
}

/** A whole package as `uci show package` prints it. */
export function show(owner: Package, options: ShowOptions = {}): string {
  const seen = new Map<string, number>();
  let text = '';
  for (const section of owner.sections) {
    const index = seen.get(section.type) ?? 0;
    seen.set(section.type, index + 1);
    const byIndex = section.anonymous && options.names !== true;
    const name = byIndex ? `@${section.type}[${index}]` : section.name;
    text += showAs(`${owner.name}.${name}`, section, options);
  }
  return text;
}
