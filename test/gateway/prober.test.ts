import t from 'tap';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../../src/gateway/gateway.js';
import { observe } from '../../src/gateway/observe.js';
import type { ProbeResult } from '../../src/gateway/prober.js';
import { probe, Prober } from '../../src/gateway/prober.js';
import { parseIp, parseIp4 } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import { parseMac } from '../../src/net/mac.js';
import { at } from '../support.js';

const gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: [parseIp4('10.44.0.1'), parseIp4('10.45.0.1')] };
const mac = parseMac('02:00:00:00:00:01');

t.test('a question for each address, from the gateway to the client alone', async (t) => {
  const frames = probe({ mac, addresses: [parseIp('10.44.0.9'), parseIp('fe80::9')] }, gateway).map(parseLinkFrame);
  t.match(frames, [
    {
      protocol: 'arp',
      ethernet: { destination: mac, source: GATEWAY_MAC },
      packet: { operation: 1, senderIp: '10.44.0.1', senderMac: GATEWAY_MAC, targetIp: '10.44.0.9' },
    },
    {
      protocol: 'nd',
      ethernet: { destination: mac, source: GATEWAY_MAC },
      packet: { source: GATEWAY_LINK_LOCAL, destination: 'fe80::9', message: { type: 'ns', target: 'fe80::9' } },
    },
  ]);
  t.ok(frames.every((frame) => observe(frame!, gateway) === undefined), 'our own frames teach us nothing');
});

t.test('a client of which no address is known', async (t) => {
  const [frame] = probe({ mac, addresses: [] }, gateway).map(parseLinkFrame);
  t.match(frame, { packet: { message: { type: 'ns', target: 'fe80::ff:fe00:1' } } });
});

t.test('answers and silence', async (t) => {
  const prober = new Prober(1000);
  const results: ProbeResult[] = [];
  const other = parseMac('02:00:00:00:00:02');
  t.equal(prober.nextDeadline, undefined);
  prober.asked(mac, at(0), (result) => results.push(result));
  prober.asked(mac, at(10), (result) => results.push(result));
  prober.asked(other, at(20), (result) => results.push(result));
  prober.heard(mac, parseIp('10.44.0.9'), at(30));
  t.match(results, [{ answered: true, address: '10.44.0.9', time: 30 }, { answered: true, time: 20 }]);
  prober.heard(mac, parseIp('10.44.0.9'), at(40));
  t.equal(prober.nextDeadline, 1020);
  prober.poll(at(1019));
  t.equal(results.length, 2);
  prober.poll(at(1020));
  t.match(results[2], { answered: false, address: undefined, time: undefined });
  t.equal(prober.nextDeadline, undefined);
});
