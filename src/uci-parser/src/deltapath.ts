/** Where `uci` stages changes unless it is told otherwise. */
export const DEFAULT_SAVEDIR = '/tmp/.uci';

/**
 * The directories with staged changes in the order in which `uci` applies them, built as its
 * options build it. The last one is the save directory, so it has the last word.
 */
export class DeltaPath {
  #directories = [DEFAULT_SAVEDIR];

  /** All directories, in order of application. */
  get directories(): readonly string[] {
    return this.#directories;
  }

  /** The last directory. */
  get savedir(): string {
    return this.#directories.at(-1) ?? DEFAULT_SAVEDIR;
  }

  /** `-p`: a further directory, right before the save directory; one already there stays put. */
  add(directory: string): this {
    if (!this.#directories.includes(directory)) this.#directories.splice(-1, 0, directory);
    return this;
  }

  /** `-t` and `-P`: makes a directory the save directory; the former one still applies. */
  setSavedir(directory: string): this {
    this.#directories = [...this.#directories.filter((other) => other !== directory), directory];
    return this;
  }
}
