/** Clients that mean harm take nothing from others. */
import t from 'tap';
import { after } from '../../src/clients/time.js';
import type { Ip4 } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { client, GATEWAY, ip, p4, Router, typeOf } from './helpers.js';

t.test('DISCOVERs from 10,000 MACs: answers are limited, offers bounded, nothing flooded', async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/16')] }, { pendingOffers: 256 });
  let offers = 0;
  for (let i = 0; i < 10_000; i++) {
    const result = router.send('discover', { mac: client(i) });
    if (typeOf(result) === 'offer') offers++;
    else if (result.dropped !== 'rate limited') t.fail(`${result.dropped}`);
    if (result.effects.length > 0) t.fail('an effect');
    router.wait(0.001);
  }
  // 10 s: a burst of 200, then 100 in a second.
  t.ok(offers >= 1195 && offers <= 1205, `${offers} offers`);
  t.equal(router.server.pendingOffers, 256);
  t.equal(router.leases.held.size, 0);
  t.equal(router.server.counters.dropped.get('rate limited'), 10_000 - offers);

  t.equal(router.join(client(1), { requested: ip('10.44.3.3') }), undefined, 'in the middle of it');
  router.wait(1);
  t.equal(router.join(client(1), { requested: ip('10.44.3.3') }), '10.44.3.3', 'a second later');
});

t.test('one client that asks without end is not heard for long, and takes nothing from the others', async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/16')] }, { messageBurst: 20, messagesPerSecond: 5 });
  const heard = Array.from({ length: 5000 }, () => router.send('discover', { mac: client(666) })).filter((result) => result.reply !== undefined);
  t.equal(heard.length, 20);
  for (let i = 1; i <= 100; i++) t.ok(router.join(client(i)), `client ${i}`);
  // One that gives back what it got and asks for another floods two records each time.
  let leases = 0;
  for (let i = 1; i <= 100; i++) {
    const result = router.send('request', { mac: client(667), requested: ip(`10.44.7.${i}`) });
    if (typeOf(result) === 'ack') leases++;
    router.send('release', { mac: client(667), ciaddr: ip(`10.44.7.${i}`) });
  }
  t.equal(leases, 10);
  router.wait(1);
  t.equal(typeOf(router.send('discover', { mac: client(666) })), 'offer', 'a second later it is heard again');
});

t.test('a flood on one network takes no rate from another', async (t) => {
  const router = new Router({}, { discoverBurst: 5, discoversPerSecond: 1 });
  for (let i = 0; i < 20; i++) router.send('discover', { mac: client(i) });
  t.equal(router.send('discover').dropped, 'rate limited');
  t.equal(typeOf(router.send('discover', {}, { network: 'br-guest' })), 'offer');
});

t.test('offers to many do not use up a small prefix', async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/28')] });
  for (let i = 100; i < 150; i++) t.equal(typeOf(router.send('discover', { mac: client(i) })), 'offer');
  t.ok(router.join(client(1)), 'who requests gets one');
});

t.test('new leases from many MACs are limited, also by REQUEST alone; those with a lease are not', async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/16')] }, { newLeaseBurst: 10, newLeasesPerSecond: 1 });
  let acks = 0;
  for (let i = 1; i <= 100; i++) {
    const result = router.send('request', { mac: client(i), requested: ip(`10.44.7.${i}`) });
    if (typeOf(result) === 'ack') acks++;
    else t.match(result, { reply: undefined, dropped: 'rate limited' });
  }
  t.equal(acks, 10);
  router.leases.give(client(500), '10.44.9.9');
  t.equal(typeOf(router.send('request', { mac: client(500), ciaddr: ip('10.44.9.9') })), 'ack');
});

t.test('rapid commit beyond the limit becomes a plain offer', async (t) => {
  const router = new Router({}, { newLeaseBurst: 2, newLeasesPerSecond: 1 });
  const options = [[80, new Uint8Array(0)]] as const;
  const types = [1, 2, 3].map((n) => typeOf(router.send('discover', { mac: client(n), options })));
  t.same(types, ['ack', 'ack', 'offer']);
});

t.test('who declines every address takes an eighth of them at most', async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/26')] }, { newLeaseBurst: 1000, declineBurst: 1000 });
  for (let i = 0; i < 100; i++) {
    const mac = client(666 + i);
    const address = router.send('discover', { mac }).reply!.message.yiaddr;
    t.match(router.send('decline', { mac, requested: address }).effects, [{ kind: 'decline' }]);
  }
  t.equal(router.leases.declined.size, 7);
  router.leases.held.clear();
  const joined = new Set<Ip4 | undefined>();
  for (let i = 1; i <= 54; i++) joined.add(router.join(client(i)));
  t.notOk(joined.has(undefined));
  t.equal(joined.size, 54, '61 that clients can have, less an eighth');
});

t.test('one client has eight addresses set aside, at whatever routers, and one network so many in a second', async (t) => {
  const decline = (router: Router, mac: Mac) => {
    const address = router.send('discover', { mac }).reply!.message.yiaddr;
    const [effect] = router.send('decline', { mac, requested: address }).effects;
    return effect?.kind === 'decline' ? effect.restsSeconds : undefined;
  };
  const one = new Router({ prefixes: [p4('10.44.0.0/16')] }, { declineBurst: 100 });
  const another = new Router({ prefixes: [p4('10.44.0.0/16')] }, { declineBurst: 100 }, one.leases);
  const rests = Array.from({ length: 12 }, (_, i) => decline(i % 2 === 0 ? one : another, client(666)));
  t.same(rests, [600, 600, 600, 600, 600, 600, 600, 600, 0, 0, 0, 0], 'the addresses are not its own all the same');
  t.equal(decline(one, client(1)), 600, 'another client is believed');

  const many = new Router({ prefixes: [p4('10.44.0.0/16')] }, { declineBurst: 3, declinesPerSecond: 1 });
  const count = (from: number) => Array.from({ length: 10 }, (_, i) => decline(many, client(from + i))).filter((seconds) => seconds === 600).length;
  t.equal(count(1), 3);
  many.wait(2);
  t.equal(count(100), 2);
});

t.test('an address that another got meanwhile cannot be declined away from him', async (t) => {
  const router = new Router();
  const offered = router.send('discover', { mac: client(666) }).reply!.message.yiaddr;
  router.leases.give(client(1), offered);
  t.equal(router.send('decline', { mac: client(666), requested: offered }).dropped, 'not its address');
  // At another router, which did not know of him yet.
  router.leases.rests.set(offered, { mac: client(666), until: after(router.now, 60_000) });
  t.equal(typeOf(router.send('request', { mac: client(1), ciaddr: offered })), 'ack');
  t.equal(router.send('discover', { mac: client(1) }).reply?.message.yiaddr, offered);
});

t.test('theft of an address by any message', async (t) => {
  const router = new Router();
  const victim = router.join(client(1))!;
  const thief = client(2);
  t.not(router.join(thief, { requested: victim }), victim);
  for (const fields of [{ requested: victim }, { ciaddr: victim }, { requested: victim, server: GATEWAY }]) {
    t.equal(typeOf(router.send('request', { mac: thief, ...fields })), 'nak');
  }
  t.equal(router.send('release', { mac: thief, ciaddr: victim }).dropped, 'not its address');
  t.equal(router.send('decline', { mac: thief, requested: victim }).dropped, 'not its address');
  t.equal(router.send('release', { mac: client(1), ciaddr: victim }, { sourceMac: thief }).dropped, 'spoofed');
  t.equal(router.leases.owner(victim), client(1));
});

t.test('a full prefix: silence, cheap to give, and at once an address when one comes free', async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/18')] }, { newLeaseBurst: 1e6, discoverBurst: 1e6 });
  for (let i = 2; i < 16383; i++) router.leases.give(client(i), `10.44.${i >> 8}.${i & 255}`);
  let lookups = 0;
  const owner = router.leases.owner.bind(router.leases);
  router.leases.owner = (address) => {
    lookups++;
    return owner(address);
  };
  for (let i = 0; i < 1000; i++) t.equal(router.send('discover', { mac: client(20_000 + i) }).dropped, 'no address left');
  t.ok(lookups < 5000, `${lookups} looked at for 1000 clients`);
  router.leases.held.delete(ip('10.44.5.5'));
  t.equal(router.join(client(30_000), { requested: ip('10.44.5.5') }), '10.44.5.5');
});
