const COMMANDS = 'roaming --help lists them';

/** What yargs has to say of the `words` on the command line, in words for people. */
export function explain(message: string, words: readonly string[]): string {
  const named = (pattern: RegExp) => pattern.exec(message)?.slice(1);
  const command = words.find((word) => !word.startsWith('-'));
  const help = command === undefined ? 'roaming --help' : `roaming ${command} --help`;
  const [meant] = named(/^Did you mean (.*)\?$/) ?? [];
  if (meant !== undefined) return `there is no command '${command}': ${isLike(meant, command!) ? `did you mean '${meant}'? ` : ''}${COMMANDS}`;
  const [unknown] = named(/^Unknown commands?: (.*)$/) ?? [];
  if (unknown !== undefined) return unknown.split(', ')[0] === command ? `there is no command '${command}': ${COMMANDS}` : `one word too many: '${unknown}'`;
  const [options] = named(/^Unknown arguments?: (.*)$/) ?? [];
  if (options !== undefined) return `there is no option ${options.split(', ').map(optionOf).join(', ')}: ${help} lists them`;
  const [lacking] = named(/^Not enough arguments following: (.*)$/) ?? [];
  if (lacking !== undefined) return `${optionOf(lacking)}: a value is missing`;
  const [word, given, choices] = named(/^Invalid values:\s+Argument: (.*), Given: "(.*)", Choices: (.*)$/) ?? [];
  if (word !== undefined) return `${word}: expected one of ${choices!.replaceAll('"', '')}, found '${given}'`;
  if (message.startsWith('Not enough non-option arguments')) return `a word is missing: ${help} says which`;
  return message;
}

/** yargs takes any three letters for a slip; hardly anybody gets the first one wrong. */
function isLike(meant: string, word: string): boolean {
  return meant[0] === word[0];
}

function optionOf(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
