/** What yargs has to say of the `words` on the command line, in words for people. */
export function explain(message: string, words: readonly string[]): string {
  const named = (pattern: RegExp) => pattern.exec(message)?.slice(1);
  const [unknown] = named(/^Unknown commands?: (.*)$/) ?? [];
  if (unknown !== undefined) {
    return unknown.split(', ')[0] === words.find((word) => !word.startsWith('-'))
      ? `there is no command '${unknown}': roaming --help lists them`
      : `one word too many: '${unknown}'`;
  }
  const [options] = named(/^Unknown arguments?: (.*)$/) ?? [];
  if (options !== undefined) return `there is no option ${options.split(', ').map(optionOf).join(', ')}: roaming COMMAND --help lists them`;
  const [lacking] = named(/^Not enough arguments following: (.*)$/) ?? [];
  if (lacking !== undefined) return `${optionOf(lacking)}: a value is missing`;
  const [word, given, choices] = named(/^Invalid values:\s+Argument: (.*), Given: "(.*)", Choices: (.*)$/) ?? [];
  if (word !== undefined) return `${word}: expected one of ${choices!.replaceAll('"', '')}, found '${given}'`;
  if (message.startsWith('Not enough non-option arguments')) return 'a word is missing: roaming COMMAND --help says which';
  return message;
}

function optionOf(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
