import t from 'tap';
import { readDaemonWords } from '../../src/cli/daemon-words.js';

t.test('a daemon that is told plainly how to run', async (t) => {
  const plain = { configFile: '/etc/config/roaming', ubusSocket: undefined, supervised: false };
  t.same(readDaemonWords(['daemon']), plain);
  t.same(readDaemonWords(['daemon', '--supervised', '--config', '/tmp/a']), { ...plain, configFile: '/tmp/a', supervised: true });
  t.same(readDaemonWords(['daemon', '--ubus', '/tmp/s']), { ...plain, ubusSocket: '/tmp/s' });
});

t.test('all other words are left to yargs', async (t) => {
  const others = [
    [],
    ['clients'],
    ['daemon', '--check'],
    ['daemon', '--help'],
    ['daemon', '--config'],
    ['daemon', '--config', ''],
    ['daemon', '--config', '--supervised'],
    ['daemon', '--config=/tmp/a'],
    ['daemon', '--supervise'],
    ['daemon', 'now'],
    ['--supervised', 'daemon'],
  ];
  for (const words of others) t.equal(readDaemonWords(words), undefined, words.join(' '));
});
