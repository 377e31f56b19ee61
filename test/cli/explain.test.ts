import t from 'tap';
import { explain } from '../../src/cli/explain.js';

t.test('in words for people', async (t) => {
  t.equal(explain('Unknown command: clints', ['clints']), "there is no command 'clints': roaming --help lists them");
  t.equal(explain('Unknown commands: clints, r2', ['clints', 'r2']), "there is no command 'clints': roaming --help lists them");
  t.equal(explain('Did you mean clients?', ['clints', 'r2']), "there is no command 'clints': did you mean 'clients'? roaming --help lists them");
  t.equal(explain('Did you mean leases?', ['dance']), "there is no command 'dance': roaming --help lists them");
  t.equal(explain('Unknown commands: b, c', ['history', 'a', 'b', 'c']), "one word too many: 'b, c'");
  t.equal(explain('Unknown command: extra', ['--json', 'status', 'extra']), "one word too many: 'extra'");
  t.equal(explain('Unknown arguments: nod, x', ['clients', '--nod', '-x']), 'there is no option --nod, -x: roaming clients --help lists them');
  t.equal(explain('Not enough arguments following: node', ['clients', '--node']), '--node: a value is missing');
  t.equal(explain('Invalid values:\n  Argument: state, Given: "maybe", Choices: "on", "off"', ['trace', 'maybe']), "state: expected one of on, off, found 'maybe'");
  t.match(explain('Not enough non-option arguments: got 0, need at least 1', ['client']), /^a word is missing: roaming client --help says which$/);
  t.equal(explain('Say what to do.', []), 'Say what to do.');
});
