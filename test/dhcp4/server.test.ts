/** RFC 2131 section 4.3 and its neighbours, rule by rule: rfc2131.md beside this file says which test shows which. */
import t from 'tap';
import { fromHex, toHex } from '../../src/net/bytes.js';
import { ANY4, BROADCAST4, parseIp4 } from '../../src/net/ip.js';
import { BROADCAST_MAC, parseMac } from '../../src/net/mac.js';
import { OptionCode } from '../../src/dhcp4/options.js';
import {
  client,
  GATEWAY,
  ip,
  MemoryLeases,
  message,
  option,
  optionAddress,
  optionNumber,
  p4,
  Router,
  typeOf,
} from './helpers.js';

const NOBODYS = ip('10.44.0.77');
const FOREIGN = ip('192.168.1.5');
const OTHER_SERVER = ip('10.44.0.254');

t.test('DISCOVER', async (t) => {
  t.test('an offer: address, times, server identifier, nothing flooded', async (t) => {
    const router = new Router();
    const offer = router.send('discover');
    t.equal(typeOf(offer), 'offer');
    t.same(offer.effects, []);
    t.match(offer.reply?.message, { op: 2, hops: 0, xid: 0x12345678, secs: 0, ciaddr: ANY4, siaddr: ANY4, chaddr: client(1) });
    t.equal(optionAddress(offer, OptionCode.serverIdentifier), GATEWAY);
    t.equal(optionNumber(offer, OptionCode.leaseTime), 3600);
    t.equal(optionNumber(offer, OptionCode.renewalTime), 1800);
    t.equal(optionNumber(offer, OptionCode.rebindingTime), 3150);
    t.equal(router.leases.held.size, 0);
  });

  t.test('the choice: live lease, else what is asked for, else by identity', async (t) => {
    const router = new Router();
    const offered = (fields = {}) => router.send('discover', fields).reply?.message.yiaddr;
    const hashed = offered();
    t.equal(offered(), hashed, 'the same again');
    t.equal(offered({ requested: NOBODYS }), NOBODYS);
    router.leases.give(client(1), '10.44.0.50');
    t.equal(offered(), '10.44.0.50');
    t.equal(offered({ requested: NOBODYS }), '10.44.0.50', 'the lease comes before the wish');
    router.wait(3601);
    t.equal(offered({ requested: ip('10.44.0.50') }), '10.44.0.50', 'its former address');
  });

  t.test('an asked-for address that cannot be had', async (t) => {
    const router = new Router();
    router.leases.give(client(2), '10.44.0.60');
    for (const requested of [ip('10.44.0.60'), ip('10.44.0.0'), ip('10.44.0.255'), GATEWAY, FOREIGN]) {
      const offer = router.send('discover', { requested });
      t.equal(typeOf(offer), 'offer', requested);
      t.not(offer.reply?.message.yiaddr, requested);
    }
  });

  t.test('the client identifier decides, RFC 4361: another MAC and the same identity want the same address', async (t) => {
    const options = [[OptionCode.clientIdentifier, fromHex('ff0011223300010203')]] as const;
    const one = new Router().send('discover', { mac: client(1), options }).reply?.message.yiaddr;
    const two = new Router().send('discover', { mac: client(2), options }).reply?.message.yiaddr;
    t.equal(one, two);
  });

  t.test('an address that is offered to one is not offered to another', async (t) => {
    const router = new Router();
    t.equal(router.send('discover', { mac: client(1), requested: NOBODYS }).reply?.message.yiaddr, NOBODYS);
    t.not(router.send('discover', { mac: client(2), requested: NOBODYS }).reply?.message.yiaddr, NOBODYS);
    router.wait(31);
    t.equal(router.send('discover', { mac: client(2), requested: NOBODYS }).reply?.message.yiaddr, NOBODYS, 'lapsed');
  });

  t.test('a shorter lease than ours is granted, a longer one is not', async (t) => {
    const leaseTime = (seconds: string) =>
      optionNumber(new Router().send('discover', { options: [[OptionCode.leaseTime, fromHex(seconds)]] }), OptionCode.leaseTime);
    t.equal(leaseTime('00000258'), 600);
    t.equal(leaseTime('ffffffff'), 3600);
    t.equal(leaseTime('00000000'), 120);
  });
});

t.test('rapid commit, RFC 4039', async (t) => {
  const options = [[OptionCode.rapidCommit, new Uint8Array(0)]] as const;
  const ack = new Router().send('discover', { options });
  t.equal(typeOf(ack), 'ack');
  t.same(option(ack, OptionCode.rapidCommit), new Uint8Array(0));
  t.match(ack.effects, [{ kind: 'lease', address: ack.reply?.message.yiaddr, mac: client(1), lifetimeSeconds: 3600 }]);
  t.notOk(option(new Router().send('discover'), OptionCode.rapidCommit), 'only for who asks');

  t.equal(typeOf(new Router({ rapidCommit: false }).send('discover', { options })), 'offer', 'switched off');
  const ipv6Only = new Router({ ipv6OnlyWait: 1800 }).send('discover', { options, ask: [OptionCode.ipv6OnlyPreferred] });
  t.equal(typeOf(ipv6Only), 'offer', 'a client that will not use it gets no lease');
});

t.test('REQUEST, SELECTING', async (t) => {
  const select = { requested: NOBODYS, server: GATEWAY };

  t.test('ACK with the same parameters as the offer, and a lease', async (t) => {
    const router = new Router();
    const offer = router.send('discover', { requested: NOBODYS });
    const ack = router.send('request', select);
    t.equal(typeOf(ack), 'ack');
    t.equal(ack.reply?.message.yiaddr, NOBODYS);
    t.same(ack.effects, [{ kind: 'lease', address: NOBODYS, mac: client(1), lifetimeSeconds: 3600 }]);
    const withoutType = (result: typeof ack) => [...result.reply!.message.options].filter(([code]) => code !== 53);
    t.same(withoutType(ack), withoutType(offer));
    t.equal(router.server.pendingOffers, 0);
  });

  t.test('another server was chosen: silence, and the offer is dropped', async (t) => {
    const router = new Router();
    router.send('discover');
    t.equal(router.server.pendingOffers, 1);
    const result = router.send('request', { ...select, server: OTHER_SERVER });
    t.match(result, { reply: undefined, dropped: 'other server' });
    t.same(result.effects, [{ kind: 'rival', server: OTHER_SERVER, mac: client(1) }]);
    t.equal(router.server.pendingOffers, 0);
  });

  t.test('the offer was made by another router: ACK all the same', async (t) => {
    t.equal(typeOf(new Router().send('request', select)), 'ack');
  });

  t.test('meanwhile somebody else got it: NAK', async (t) => {
    const router = new Router();
    router.send('discover', { requested: NOBODYS });
    router.leases.give(client(2), NOBODYS);
    t.equal(typeOf(router.send('request', select)), 'nak');
  });

  t.test('a retransmission is answered again and floods nothing', async (t) => {
    const router = new Router();
    router.send('request', select);
    router.wait(1);
    const again = router.send('request', select);
    t.equal(typeOf(again), 'ack');
    t.same(again.effects, []);
    t.equal(optionNumber(again, OptionCode.leaseTime), 3599, 'the time that is left');
  });

  t.test('no address named: silence', async (t) => {
    t.match(new Router().send('request', { server: GATEWAY }), { reply: undefined, dropped: 'malformed' });
  });
});

/** The three states without server identifier name the address in different places and follow the same rules. */
const states = {
  'INIT-REBOOT': { fields: (address: ReturnType<typeof ip>) => ({ requested: address }), meta: {} },
  'RENEWING': { fields: (address: ReturnType<typeof ip>) => ({ ciaddr: address }), meta: {} },
  'REBINDING': {
    fields: (address: ReturnType<typeof ip>) => ({ ciaddr: address }),
    meta: { destinationIp: BROADCAST4 },
  },
};

for (const [state, { fields, meta }] of Object.entries(states)) {
  t.test(`REQUEST, ${state}`, async (t) => {
    const ask = (router: Router, address: string) => router.send('request', fields(ip(address)), meta);

    t.test('its own lease: ACK, extended', async (t) => {
      const router = new Router();
      router.leases.give(client(1), '10.44.0.50', 1800);
      const ack = ask(router, '10.44.0.50');
      t.equal(typeOf(ack), 'ack');
      t.equal(ack.reply?.message.yiaddr, '10.44.0.50');
      t.equal(ack.reply?.message.ciaddr, state === 'INIT-REBOOT' ? ANY4 : '10.44.0.50', 'table 3');
      t.same(ack.effects, [{ kind: 'lease', address: '10.44.0.50', mac: client(1), lifetimeSeconds: 3600 }]);
    });

    t.test('a lease that nobody knows, nobody else has: ACK, so that a power cut renumbers nobody', async (t) => {
      const ack = ask(new Router(), '10.44.0.50');
      t.equal(typeOf(ack), 'ack');
      t.match(ack.effects, [{ kind: 'lease', address: '10.44.0.50' }]);
    });

    t.test('its own expired lease: ACK', async (t) => {
      const router = new Router();
      router.leases.give(client(1), '10.44.0.50', 1);
      router.wait(60);
      t.equal(typeOf(ask(router, '10.44.0.50')), 'ack');
    });

    t.test('certain refusals: NAK without any lease or parameter', async (t) => {
      const router = new Router({ reservations: [{ mac: client(9), address: ip('10.44.0.9') }] });
      router.leases.give(client(2), '10.44.0.60');
      router.leases.give(client(3), '10.44.0.61', 1);
      router.wait(10);
      const cases: [address: string, why: string][] = [
        [FOREIGN, 'another network'],
        ['10.44.0.60', "another client's"],
        ['10.44.0.61', "another client's, at rest"],
        ['10.44.0.9', 'reserved'],
        ['10.44.0.0', 'network address'],
        ['10.44.0.255', 'broadcast address'],
        [GATEWAY, 'gateway'],
      ];
      for (const [address, why] of cases) {
        const nak = ask(router, address);
        t.equal(typeOf(nak), 'nak', why);
        t.same(nak.effects, []);
        t.match(nak.reply?.message, { yiaddr: ANY4, ciaddr: ANY4, siaddr: ANY4 });
        t.same([...nak.reply!.message.options.keys()], [53, 54, 56], 'type, server identifier, message');
        t.same(nak.reply?.to, { mac: BROADCAST_MAC, ip: BROADCAST4, port: 68 }, '4.1: always broadcast');
      }
    });

    t.test('it has another lease: NAK, and the next offer is that one', async (t) => {
      const router = new Router();
      router.leases.give(client(1), '10.44.0.50');
      t.equal(typeOf(ask(router, '10.44.0.51')), 'nak');
      t.equal(router.send('discover').reply?.message.yiaddr, '10.44.0.50');
    });

    t.test('only offered to another: a client that says it has it comes first', async (t) => {
      const router = new Router();
      router.send('discover', { mac: client(2), requested: NOBODYS });
      t.equal(typeOf(ask(router, NOBODYS)), 'ack');
      t.equal(typeOf(router.send('request', { mac: client(2), requested: NOBODYS, server: GATEWAY })), 'nak');
    });
  });
}

t.test('RENEWING: unicast to the shared server identifier, answered by unicast', async (t) => {
  const router = new Router();
  router.leases.give(client(1), '10.44.0.50', 1800);
  const ack = router.send('request', { ciaddr: ip('10.44.0.50'), broadcast: true });
  t.same(ack.reply?.to, { mac: client(1), ip: '10.44.0.50', port: 68 });
});

t.test('a renewal to the address of another host is not ours to answer', async (t) => {
  const result = new Router().send('request', { ciaddr: ip('10.44.0.50') }, { destinationIp: OTHER_SERVER });
  t.match(result, { reply: undefined, effects: [], dropped: 'other destination' });
});

t.test('a fresh lease is confirmed with the time it has left; from a sixteenth on it is extended', async (t) => {
  const router = new Router();
  router.leases.give(client(1), '10.44.0.50', 3600);
  const renew = () => router.send('request', { ciaddr: ip('10.44.0.50') });
  router.wait(200);
  const fresh = renew();
  t.same(fresh.effects, []);
  t.equal(optionNumber(fresh, OptionCode.leaseTime), 3400);
  t.equal(optionNumber(fresh, OptionCode.renewalTime), 1700);
  router.wait(100);
  t.match(renew().effects, [{ kind: 'lease', lifetimeSeconds: 3600 }]);
});

t.test('two leases of one client become one: that which it uses', async (t) => {
  const router = new Router();
  router.leases.give(client(1), '10.44.0.50', 1800);
  router.leases.give(client(1), '10.44.0.51', 1800);
  const ack = router.send('request', { ciaddr: ip('10.44.0.51') });
  t.equal(typeOf(ack), 'ack');
  t.match(ack.effects, [
    { kind: 'release', address: '10.44.0.50', mac: client(1) },
    { kind: 'lease', address: '10.44.0.51', mac: client(1) },
  ]);
});

t.test('DECLINE', async (t) => {
  t.test('the address is set aside, and free again later', async (t) => {
    const router = new Router();
    const address = router.join(client(1))!;
    const result = router.send('decline', { requested: address, server: GATEWAY });
    t.match(result, { reply: undefined, effects: [{ kind: 'decline', address, mac: client(1) }] });
    t.not(router.send('discover').reply?.message.yiaddr, address);
    t.not(router.send('discover', { requested: address }).reply?.message.yiaddr, address, 'not even on request');
    t.equal(typeOf(router.send('request', { requested: address })), 'nak');
    router.wait(1201);
    t.equal(router.send('discover', { requested: address }).reply?.message.yiaddr, address);
  });

  t.test('an offer can be declined, a stranger cannot decline', async (t) => {
    const router = new Router();
    const offered = router.send('discover').reply!.message.yiaddr;
    t.match(router.send('decline', { mac: client(2), requested: offered }), { effects: [], dropped: 'not its address' });
    t.match(router.send('decline', { requested: offered, server: OTHER_SERVER }), { effects: [], dropped: 'other server' });
    t.match(router.send('decline', {}), { effects: [], dropped: 'malformed' });
    t.match(router.send('decline', { requested: offered }).effects, [{ kind: 'decline' }]);
  });
});

t.test('RELEASE', async (t) => {
  const router = new Router();
  const address = router.join(client(1))!;
  t.match(router.send('release', { mac: client(2), ciaddr: address }), { effects: [], dropped: 'not its address' });
  t.match(router.send('release', { ciaddr: address, server: OTHER_SERVER }), { effects: [], dropped: 'other server' });
  const result = router.send('release', { ciaddr: address, server: GATEWAY });
  t.match(result, { reply: undefined, effects: [{ kind: 'release', address, mac: client(1) }] });
  t.equal(router.send('discover', { requested: address }).reply?.message.yiaddr, address, '4.3.4: it is remembered');
  t.not(router.send('discover', { mac: client(2), requested: address }).reply?.message.yiaddr, address, 'and rests');
});

t.test('INFORM: parameters, no address, no times, no lease', async (t) => {
  const router = new Router({ domain: 'mesh.example' });
  const ack = router.send('inform', { ciaddr: ip('10.44.0.200'), ask: [6, 15, 51] });
  t.equal(typeOf(ack), 'ack');
  t.match(ack.reply?.message, { yiaddr: ANY4, ciaddr: '10.44.0.200' });
  t.same([...ack.reply!.message.options.keys()], [53, 54, 6, 15, 1]);
  t.same(ack.effects, []);
  t.same(ack.reply?.to, { mac: client(1), ip: '10.44.0.200', port: 68 });
  const bySource = router.send('inform', {}, { sourceIp: ip('10.44.0.201') });
  t.same(bySource.reply?.to, { mac: client(1), ip: '10.44.0.201', port: 68 });
  t.match(router.send('inform'), { reply: undefined, dropped: 'malformed' });
});

t.test('where replies go, 4.1', async (t) => {
  const everybody = { mac: BROADCAST_MAC, ip: BROADCAST4, port: 68 };
  t.same(new Router().send('discover', { requested: NOBODYS }).reply?.to, { mac: client(1), ip: NOBODYS, port: 68 });
  t.same(new Router().send('discover', { broadcast: true }).reply?.to, everybody);
  t.equal(new Router().send('discover', { broadcast: true }).reply?.message.broadcast, true, 'flags go back');
});

t.test('relay agents', async (t) => {
  const relay = ip('10.99.0.7');
  const relayMac = parseMac('02:00:5e:00:77:77');
  const circuit = fromHex('0104 65746830');
  const meta = { sourceMac: relayMac, sourceIp: relay, destinationIp: GATEWAY };
  const fields = { giaddr: relay, options: [[OptionCode.relayAgentInformation, circuit]] as const };

  t.test('the reply goes to port 67 of the relay with giaddr, flags and option 82 as they came', async (t) => {
    const router = new Router({ relays: [p4('10.99.0.0/16')] });
    const offer = router.send('discover', { ...fields, broadcast: true }, meta);
    t.same(offer.reply?.to, { mac: relayMac, ip: relay, port: 67 });
    t.match(offer.reply?.message, { giaddr: relay, broadcast: true, chaddr: client(1) });
    t.same(option(offer, OptionCode.relayAgentInformation), circuit);
  });

  t.test('a NAK has the broadcast flag, so that the relay broadcasts it', async (t) => {
    const router = new Router({ relays: [p4('10.99.0.0/16')] });
    const nak = router.send('request', { ...fields, requested: FOREIGN }, meta);
    t.equal(typeOf(nak), 'nak');
    t.equal(nak.reply?.message.broadcast, true);
    t.same(nak.reply?.to, { mac: relayMac, ip: relay, port: 67 });
    t.same(option(nak, OptionCode.relayAgentInformation), circuit);
  });

  t.test('a renewal that a relay outside the prefixes forwards is answered by the same way, once it has relayed', async (t) => {
    const router = new Router({ relays: [p4('10.99.0.0/16')] });
    const address = ip('10.44.0.50');
    const renew = (sourceMac = relayMac) => router.send('request', { ciaddr: address }, { sourceMac, sourceIp: address, destinationIp: GATEWAY });
    t.equal(typeOf(router.send('request', { requested: address })), 'ack');
    t.match(renew(), { reply: undefined, dropped: 'spoofed' });
    router.send('discover', { ...fields, mac: client(2) }, meta);
    t.equal(typeOf(renew()), 'ack');
    t.match(renew().reply?.to, { mac: relayMac, ip: address, port: 68 });
    t.match(renew(client(3)), { reply: undefined, dropped: 'spoofed' }, 'who has not');
    for (let i = 0; i < 100; i++) {
      const other = parseMac(`02:00:5e:01:00:${i.toString(16).padStart(2, '0')}`);
      router.send('discover', { ...fields, mac: client(2) }, { ...meta, sourceMac: other });
    }
    t.match(renew(), { dropped: 'spoofed' }, 'so many are remembered');
  });

  t.test('who is not configured is no relay, or anybody could speak for any client', async (t) => {
    t.match(new Router().send('discover', fields, meta), { reply: undefined, dropped: 'unknown relay' });
  });
});

t.test('who speaks for whom', async (t) => {
  const router = new Router();
  const spoofed = router.send('release', { mac: client(1) }, { sourceMac: client(2) });
  t.match(spoofed, { reply: undefined, effects: [], dropped: 'spoofed' });
  const group = parseMac('03:00:5e:00:53:01');
  t.match(router.send('discover', { mac: group }), { reply: undefined, dropped: 'spoofed' });
  t.equal(router.server.counters.dropped.get('spoofed'), 2);
});

t.test('what is not for a server', async (t) => {
  const router = new Router();
  for (const type of ['offer', 'ack', 'nak'] as const) {
    t.match(router.send(type), { reply: undefined, dropped: 'not for a server' }, type);
  }
  const meta = { network: 'br-lan', sourceMac: client(1), sourceIp: ANY4, destinationIp: BROADCAST4 };
  const reply = { ...message('discover'), op: 2 };
  t.match(router.server.handle(reply, meta, router.now), { dropped: 'not for a server' });
  const bootp = { ...message('discover'), options: new Map<number, Uint8Array>() };
  t.match(router.server.handle(bootp, meta, router.now), { dropped: 'not for a server' });
  const leaseQuery = { ...message('discover'), options: new Map([[53, Uint8Array.of(10)]]) };
  t.match(router.server.handle(leaseQuery, meta, router.now), { dropped: 'not for a server' });
  const badType = { ...message('discover'), options: new Map([[53, new Uint8Array(0)]]) };
  t.match(router.server.handle(badType, meta, router.now), { dropped: 'malformed' });
  t.match(router.send('request', { options: [[50, fromHex('0a2c00')]] }), { dropped: 'malformed' });
});

t.test('the client identifier goes back as it came, RFC 6842: in OFFER, ACK and NAK', async (t) => {
  const options = [[OptionCode.clientIdentifier, fromHex('ff00112233')]] as const;
  const router = new Router();
  for (const result of [
    router.send('discover', { options }),
    router.send('request', { options, requested: NOBODYS }),
    router.send('request', { options, requested: FOREIGN }),
  ]) {
    t.equal(toHex(option(result, OptionCode.clientIdentifier)!), 'ff00112233', typeOf(result));
  }
});

t.test('reservations', async (t) => {
  const reservations = [{ mac: client(1), address: ip('10.44.0.9'), name: 'printer' }];
  t.test('the client gets it, with its name where it asks; nobody else does', async (t) => {
    const router = new Router({ reservations });
    const offer = router.send('discover', { requested: NOBODYS, ask: [OptionCode.hostName] });
    t.equal(offer.reply?.message.yiaddr, '10.44.0.9');
    t.equal(new TextDecoder().decode(option(offer, OptionCode.hostName)), 'printer');
    t.not(router.send('discover', { mac: client(2), requested: ip('10.44.0.9') }).reply?.message.yiaddr, '10.44.0.9');
  });

  t.test('a client with another lease moves to it at its next renewal', async (t) => {
    const router = new Router({ reservations });
    router.leases.give(client(1), '10.44.0.50');
    t.equal(typeOf(router.send('request', { ciaddr: ip('10.44.0.50') })), 'nak');
    t.equal(router.join(client(1)), '10.44.0.9');
    t.equal(router.leases.owner(ip('10.44.0.50')), undefined, 'the old lease is given back');
  });

  t.test('while another client still has it, its own gets another, and is not sent in circles', async (t) => {
    const router = new Router({ reservations });
    router.leases.give(client(2), '10.44.0.9');
    const address = router.join(client(1));
    t.not(address, '10.44.0.9');
    t.equal(typeOf(router.send('request', { ciaddr: address! })), 'ack');
    t.equal(typeOf(router.send('request', { mac: client(2), ciaddr: ip('10.44.0.9') })), 'nak', 'the other has to leave');
    router.wait(3601);
    t.equal(router.join(client(1)), '10.44.0.9', 'a reservation does not wait for the rest of another');
  });

  t.test('a declined one is set aside like any other', async (t) => {
    const router = new Router({ reservations });
    router.join(client(1));
    router.send('decline', { requested: ip('10.44.0.9') });
    const other = router.join(client(1));
    t.ok(other !== undefined && other !== '10.44.0.9');
  });
});

t.test('the name of a client is learnt with its lease, not before', async (t) => {
  const router = new Router();
  const options = [[OptionCode.hostName, new TextEncoder().encode('phone')]] as const;
  t.same(router.send('discover', { options }).effects, []);
  const { effects } = router.send('request', { options, requested: NOBODYS });
  t.match(effects, [{ kind: 'lease' }, { kind: 'hostname', mac: client(1), name: 'phone' }]);
});

t.test('a new configuration: offers stay, addresses of the old prefix are refused', async (t) => {
  const router = new Router();
  router.send('discover');
  const address = router.join(client(2))!;
  const prefixes = [p4('10.45.0.0/24')];
  router.server.configure({ prefixes, gateway: ip('10.45.0.1'), netmask: 'prefix', leaseTime: 600, dns: [] });
  t.equal(router.server.pendingOffers, 1);
  const meta = { destinationIp: BROADCAST4 };
  t.equal(typeOf(router.send('request', { mac: client(2), ciaddr: address }, meta)), 'nak');
  const offer = router.send('discover', { mac: client(2) });
  t.match(offer.reply?.message.yiaddr, /^10\.45\.0\./);
  t.equal(optionAddress(offer, OptionCode.serverIdentifier), '10.45.0.1');
});

t.test('counters', async (t) => {
  const router = new Router();
  router.join(client(1));
  router.send('request', { requested: FOREIGN });
  const { received, sent } = router.server.counters;
  t.same([...received], [['discover', 1], ['request', 2]]);
  t.same([...sent], [['offer', 1], ['ack', 1], ['nak', 1]]);
});

t.test('two leases of a client: every node offers the lower', async (t) => {
  const offers = [['10.44.0.100', '10.44.0.20'], ['10.44.0.20', '10.44.0.100']].map((order) => {
    const leases = new MemoryLeases();
    for (const address of order) leases.give(client(1), address);
    return new Router({}, {}, leases).send('discover').reply?.message.yiaddr;
  });
  t.same(offers, [parseIp4('10.44.0.20'), parseIp4('10.44.0.20')]);
});
