import t from 'tap';
import { ClientLinks } from '../src/client-links.js';
import type { Mac } from '../src/net/mac.js';
import type { ClientLink } from '../src/ports.js';
import { at, configOf, TestClock, TestLog } from './support.js';

const lan: ClientLink = { network: 'br-lan', ifindex: 3, mac: '02:00:00:00:00:03' as Mac, mtu: 1500, up: true, addresses: [] };

/** A kernel with br-lan, the MAC of which can be set and nothing else. */
function start(setup = true) {
  const kernel = { link: lan, reads: 0 };
  const log = new TestLog();
  const links = new ClientLinks({
    config: configOf("list interface 'br-lan'", "list interface 'br-guest'", "list prefix '10.44.0.0/16'", `option setup '${Number(setup)}'`),
    clock: new TestClock(),
    log,
    kernel: {
      clientLinks: async (networks) => {
        kernel.reads++;
        return networks.includes('br-lan') ? [kernel.link] : [];
      },
    },
    linkControl: {
      settings: async () => new Map(),
      apply: async (changes) =>
        changes.map((change) => {
          if (change.op !== 'mac') return new Error('EPERM');
          kernel.link = { ...kernel.link, mac: change.mac };
          return undefined;
        }),
      blockRedirects: async () => {},
      stop: () => {},
    },
  });
  return { kernel, links, log };
}

t.test('what comes together is read once', async (t) => {
  const { links } = start();
  t.equal(links.nextDeadline, undefined);
  links.changed(at(10));
  links.changed(at(40));
  t.equal(links.nextDeadline, 60);
  const reading = links.read();
  t.equal(links.nextDeadline, undefined);
  links.changed(at(70));
  await reading;
  t.equal(links.nextDeadline, 120, 'what changes while they are read is read again');
});

t.test('where something was set they are read again, and a stop takes it back', async (t) => {
  const { kernel, links } = start();
  await links.read();
  t.equal(kernel.reads, 2);
  t.equal(links.get('br-lan')?.mac, '00:00:5e:00:52:13');
  t.same(links.all(), [kernel.link]);
  await links.stop(false);
  t.equal(kernel.link.mac, lan.mac);
});

t.test('what another program sets otherwise time and again is set once more later, and a change is still read at once', async (t) => {
  const { kernel, links } = start();
  for (let i = 0; i < 10; i++) {
    kernel.link = lan;
    await links.read();
  }
  t.equal(links.get('br-lan')?.mac, lan.mac);
  t.equal(links.nextDeadline, 10_000);
  links.changed(at(100));
  t.equal(links.nextDeadline, 150);
});

t.test('what was set lingers where it is to', async (t) => {
  const { kernel, links } = start();
  await links.read();
  await links.stop(true);
  t.equal(kernel.link.mac, '00:00:5e:00:52:13');
});

t.test('a reading that a stop overtakes sets nothing', async (t) => {
  const { kernel, links } = start();
  const reading = links.read();
  await links.stop(false);
  await reading;
  t.equal(kernel.link.mac, lan.mac);
});

t.test('an interface that is not there is a problem', async (t) => {
  const { links } = start(false);
  await links.read();
  t.match(links.problems[0], /^there is no interface br-guest: /);
  t.equal(links.get('br-guest'), undefined);
  links.configure(configOf("list interface 'br-lan'", "list prefix '10.44.0.0/16'"));
  await links.read();
  t.notMatch(links.problems.join('\n'), /there is no interface/);
});

t.test('what cannot be had is tried again each second, and said once until it is', async (t) => {
  const { links, log } = start();
  for (let second = 0; second < 3; second++) {
    links.failed(new Error('too many open files'), at(second * 1000));
    t.equal(links.nextDeadline, second * 1000 + 1000);
    await links.read();
    t.match(links.problems, ['cannot read the interfaces: too many open files']);
  }
  links.done();
  links.done();
  t.same(links.problems.filter((line) => line.startsWith('cannot read')), []);
  const told = log.lines.filter((line) => line.includes('read'));
  t.same(told, ['warn cannot read the interfaces: too many open files', 'info the interfaces are read again']);
});
