/** Whether `text` matches: a `*` at the end of the pattern stands for any rest, elsewhere it is an ordinary character. */
export function matchesPattern(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text;
}
