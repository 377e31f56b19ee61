/** Beyond this many strings it starts anew: equal ones that come later are then in memory twice. */
const LIMIT = 4096;

/** Gives one string in memory to all that are equal: for what many records have in common. */
export class SharedStrings {
  #known = new Map<string, string>();

  share(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= LIMIT) this.#known.clear();
    this.#known.set(text, text);
    return text;
  }
}
