import t from 'tap';
import { quantile, readPerfDhcp } from './perfdhcp.js';

const OUTPUT = `Running: perfdhcp -4 -l eth0 -R 20000 -p 1 -r 20 -x t 10.44.0.1
***Rate statistics***
Rate: 19.5 4-way exchanges/second, expected rate: 20

***Malformed Packets***
Malformed packets: 0
***Statistics for: DISCOVER-OFFER***
sent packets: 21
received packets: 20
drops: 1

avg delay: 4.336 ms

***Statistics for: REQUEST-ACK***
sent packets: 20
received packets: 19

***Timestamps for packets: DISCOVER-OFFER***
sent / received: 000000.000074 / 000000.015293
sent / received: 000000.900151 / 000001.001829

***Timestamps for packets: REQUEST-ACK***
sent / received: 000000.017516 / 000000.029473
`;

t.test("perfdhcp's report", async (t) => {
  const { offerDelays, ackDelays, ...rest } = readPerfDhcp(OUTPUT);
  t.same(rest, { rate: 19.5, begun: 21, done: 19 });
  t.same(offerDelays.map((ms) => ms.toFixed(3)), ['15.219', '101.678']);
  t.same(ackDelays.map((ms) => ms.toFixed(3)), ['11.957']);
  t.throws(() => readPerfDhcp('perfdhcp: no such interface'), /perfdhcp said/);
});

t.test('quantiles', async (t) => {
  t.equal(quantile([3, 1, 2], 0.5), 2);
  t.equal(quantile([3, 1, 2], 0.99), 3);
  t.ok(Number.isNaN(quantile([], 0.5)));
});
