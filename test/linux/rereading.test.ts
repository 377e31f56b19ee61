/** Reading all anew while events go on. */
import t from 'tap';
import { Rereading } from '../../src/linux/rereading.js';
import { turn } from '../support.js';

function setUp() {
  const did: string[] = [];
  const readings: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const tasks: (() => void)[] = [];
  const all = new Rereading<string>({
    read: () => {
      did.push('read');
      return new Promise((resolve, reject) => readings.push({ resolve, reject }));
    },
    failed: ({ message }) => did.push(`failed: ${message}`),
    handle: (event) => did.push(event),
    after: (ms, task) => tasks.push(task) && did.push(`in ${ms}`),
  });
  /** What was done since the last call, once promises have settled. */
  const done = async () => {
    await turn();
    return did.splice(0);
  };
  return { all, readings, tasks, done };
}

t.test('what is told while all is read counts after it', async (t) => {
  const { all, readings, done } = setUp();
  all.refresh();
  all.take('early');
  t.same(await done(), ['early'], 'nothing is read before the start');
  all.start();
  all.take('a');
  all.take('b');
  t.same(await done(), ['read']);
  readings[0]!.resolve();
  t.same(await done(), ['a', 'b']);
  all.take('c');
  t.same(await done(), ['c']);
});

t.test('what is asked for while all is read is read after that, once', async (t) => {
  const { all, readings, done } = setUp();
  all.start();
  for (let i = 0; i < 3; i++) all.refresh();
  t.ok(all.stale);
  t.same(await done(), ['read']);
  readings[0]!.resolve();
  t.same(await done(), ['read']);
  t.notOk(all.stale);
  const { reading } = all;
  readings[1]!.resolve();
  await reading;
  await turn();
  t.equal(all.reading, undefined);
  t.same(await done(), []);
});

t.test('what fails is tried again after a while; meanwhile what is told counts', async (t) => {
  const { all, readings, tasks, done } = setUp();
  all.start();
  all.take('a');
  readings[0]!.reject(new Error('no buffer space'));
  t.same(await done(), ['read', 'failed: no buffer space', 'in 1000', 'a']);
  tasks[0]!();
  t.same(await done(), ['read']);
  readings[1]!.reject(new Error('no buffer space'));
  t.same(await done(), ['in 1000'], 'which is told once');
  tasks[1]!();
  readings[2]!.resolve();
  all.refresh();
  readings[3]?.resolve();
  t.same(await done(), ['read', 'read']);
  readings[3]!.reject(new Error('no buffer space'));
  t.same(await done(), ['failed: no buffer space', 'in 1000'], 'and again once it has worked meanwhile');
});

t.test('after the end nothing is read, and no failure is told', async (t) => {
  const { all, readings, done } = setUp();
  all.start();
  all.refresh();
  all.stop();
  readings[0]!.reject(new Error('the socket is closed'));
  t.same(await done(), ['read']);
  all.refresh();
  t.same(await done(), []);
});
