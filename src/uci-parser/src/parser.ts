import { appendItem, setOption, setType } from './edit.js';
import type { Command } from './delta.js';
import { UciError, UciParseError } from './errors.js';
import { LineBuffer } from './lines.js';
import type { Place } from './lines.js';
import { Package } from './model.js';
import type { Section } from './model.js';
import { isName, isPackageStatementName, isType } from './names.js';
import type { PassOptions, Statement } from './parse.js';
import { peekKeyword, readWord, skipSpace, UnterminatedQuote } from './words.js';
import type { Keyword, Word } from './words.js';

const KEYWORDS = new Map<string, Statement['kind']>([
  ['p', 'package'],
  ['package', 'package'],
  ['c', 'config'],
  ['config', 'config'],
  ['o', 'option'],
  ['option', 'option'],
  ['l', 'list'],
  ['list', 'list'],
]);

/** Thrown where the reader stops; becomes a UciParseError once the place is known. */
class Stop extends Error {
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

/** One pass over one source: the statements of UCI and what libuci makes of them. */
export class Parser {
  readonly packages: Package[] = [];
  readonly #line: LineBuffer;
  readonly #options: PassOptions;
  readonly #strict: boolean;
  /** First section of each name in the open package; a file may have very many. */
  readonly #byName = new Map<string, Section>();
  #package: Package | undefined;
  #section: Section | undefined;

  constructor(source: Uint8Array, options: PassOptions) {
    this.#line = new LineBuffer(source);
    this.#options = options;
    this.#strict = options.strict ?? true;
    if (options.into !== undefined) this.#open(options.into);
  }

  run(): void {
    while (!this.#line.eof) {
      this.#line.start();
      try {
        this.#statements();
      } catch (error) {
        const failure = this.#failure(error);
        if (this.#strict) throw failure;
        this.#options.onError?.(failure);
      }
    }
    if (this.#options.name !== undefined) this.#packageByName(this.#options.name);
  }

  #failure(error: unknown): UciParseError {
    const known = error instanceof Stop || error instanceof UnterminatedQuote;
    if (!known) throw error;
    const at = error instanceof Stop ? error.at : error.start;
    const place = this.#line.place(at);
    return new UciParseError({
      reason: error.message,
      line: this.#line.line,
      byte: this.#line.pos,
      sourceLine: place.line,
      column: place.column,
      file: this.#options.file ?? this.#options.name ?? 'import',
    });
  }

  #statements(): void {
    skipSpace(this.#line);
    for (;;) {
      const keyword = peekKeyword(this.#line);
      if (keyword === undefined || keyword.text.startsWith('#')) return;
      const kind = KEYWORDS.get(keyword.text);
      if (kind === undefined) throw new Stop('invalid command', keyword.start);
      this.#statement(kind, keyword);
    }
  }

  #statement(kind: Statement['kind'], keyword: Keyword): void {
    const place = this.#line.place(keyword.start);
    if (kind === 'package') this.#parsePackage(keyword, place);
    else if (kind === 'config') this.#parseConfig(keyword, place);
    else this.#parseOption(kind, keyword, place);
  }

  #pass(keyword: Keyword, kind: string): void {
    if (keyword.atEnd) throw new Stop(`${kind} without name`, keyword.start);
    this.#line.pos = keyword.end + 1;
  }

  #required(check?: (text: string) => boolean): Word {
    const word = readWord(this.#line);
    if (word.text === '') throw new Stop('insufficient arguments', word.start);
    return this.#checked(word, check);
  }

  #checked(word: Word, check?: (text: string) => boolean): Word {
    if (check !== undefined && word.text !== '' && !check(word.text)) {
      throw new Stop('invalid character in name field', word.start);
    }
    return word;
  }

  #endOfStatement(): void {
    const word = readWord(this.#line);
    if (word.text !== '' && this.#strict) throw new Stop('too many arguments', word.start);
  }

  /** Words that are missing take no room and say nothing about where the statement ends. */
  #report(kind: Statement['kind'], start: Place, words: readonly Word[], option?: string): void {
    const { onStatement } = this.#options;
    if (onStatement === undefined) return;
    const last = words.findLast((word) => word.end > word.start);
    onStatement({
      kind,
      line: start.line,
      start: start.offset,
      end: this.#line.place(last?.end ?? 0).offset,
      section: this.#section,
      option,
      lastWord: this.#line.place(last?.start ?? 0).offset,
    });
  }

  /** Tells a merging caller what to stage. */
  #stage(command: Command, section: Section, option: string | undefined, value: string): void {
    const owner = section.package.name;
    this.#options.onChange?.({ command, package: owner, section: section.name, option, value });
  }

  #open(owner: Package): Package {
    this.#package = owner;
    this.#section = undefined;
    this.#byName.clear();
    for (const section of owner.sections.toReversed()) this.#byName.set(section.name, section);
    return owner;
  }

  #packageByName(name: string): Package {
    const { packages } = this;
    if (packages.length === 0) packages.push(new Package(name, this.#options.file));
    return packages[0] as Package;
  }

  #parsePackage(keyword: Keyword, place: Place): void {
    this.#pass(keyword, 'package');
    const name = this.#required(isPackageStatementName);
    this.#endOfStatement();
    this.#report('package', place, [name]);
    if (this.#options.name !== undefined) return;
    if (this.packages.some((other) => other.name === name.text)) {
      throw new UciError('DUPLICATE', `package '${name.text}'`);
    }
    this.packages.push(this.#open(new Package(name.text, this.#options.file)));
  }

  #parseConfig(keyword: Keyword, place: Place): void {
    const owner = this.#packageOfConfig(keyword);
    this.#pass(keyword, 'config');
    const type = this.#required();
    if (!isType(type.text)) throw new Stop('invalid character in type field', type.start);
    const name = this.#checked(readWord(this.#line), isName);
    this.#endOfStatement();
    this.#section = this.#openSection(owner, type, name, place);
    this.#report('config', place, [type, name]);
  }

  #packageOfConfig(keyword: Keyword): Package {
    if (this.#package !== undefined) return this.#package;
    if (this.#options.name === undefined) {
      throw new Stop('attempting to import a file without a package name', keyword.start);
    }
    return this.#open(this.#packageByName(this.#options.name));
  }

  #openSection(owner: Package, type: Word, name: Word, place: Place): Section {
    const known = this.#byName.get(name.text);
    if (known === undefined) {
      const section = owner.addSection(type.text, name.text, this.#lineOf(place));
      if (!this.#byName.has(section.name)) this.#byName.set(section.name, section);
      this.#stage(section.anonymous ? 'add' : 'set', section, undefined, type.text);
      return section;
    }
    if (known.type === type.text) return known;
    if (this.#strict) {
      throw new Stop('section of different type overwrites prior section with same name', type.start);
    }
    setType(known, type.text);
    this.#stage('set', known, undefined, type.text);
    return known;
  }

  #parseOption(kind: 'option' | 'list', keyword: Keyword, place: Place): void {
    const section = this.#section;
    if (section === undefined) {
      throw new Stop('option/list command found before the first section', keyword.start);
    }
    this.#pass(keyword, 'option');
    const name = this.#required(isName);
    const value = readWord(this.#line);
    this.#endOfStatement();
    if (kind === 'list') this.#append(section, name.text, value.text, place);
    else if (value.text !== '') this.#set(section, name.text, value.text, place);
    this.#report(kind, place, [name, value], name.text);
  }

  #set(section: Section, name: string, value: string, place: Place): void {
    if (section.get(name) !== value) this.#stage('set', section, name, value);
    setOption(section, name, value, this.#lineOf(place));
  }

  #append(section: Section, name: string, item: string, place: Place): void {
    this.#stage('add_list', section, name, item);
    appendItem(section, name, item, this.#lineOf(place));
  }

  /** Lines of a stream that is merged are not lines of the package's file. */
  #lineOf(place: Place): number | undefined {
    return this.#options.into === undefined ? place.line : undefined;
  }
}
