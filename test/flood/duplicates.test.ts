import t from 'tap';
import { Instances } from '../../src/flood/duplicates.js';
import { nodeId } from './support.js';

const hello = (instance: number) => ({ type: 'hello', node: nodeId(1), instance: BigInt(instance), connection: 1, port: 4444, hostname: '' }) as const;

t.test('a node that restarts is told from two that have one id', async (t) => {
  const instances = new Instances();
  t.ok(instances.replaces(hello(2), hello(1)));
  t.notOk(instances.replaces(hello(1), hello(2)), 'the one before is back: both are alive');
  t.ok(instances.replaces(hello(3), hello(2)));
  t.notOk(instances.replaces(hello(2), hello(3)));
});

t.test('however often a node restarts, the last instances are remembered, and no more', async (t) => {
  const instances = new Instances();
  for (let i = 1; i < 1000; i++) if (!instances.replaces(hello(i + 1), hello(i))) t.fail(`start ${i}`);
  t.notOk(instances.replaces(hello(990), hello(1000)));
  t.ok(instances.replaces(hello(900), hello(1000)), 'forgotten');
});
