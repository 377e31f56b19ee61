import t from 'tap';
import { BadInput, fromHex, toHex } from '../../src/net/bytes.js';
import { BROADCAST4 } from '../../src/net/ip.js';
import type { Dhcp4Config } from '../../src/dhcp4/config.js';
import { OptionCode } from '../../src/dhcp4/options.js';
import { parseDhcp4, writeDhcp4 } from '../../src/dhcp4/message.js';
import { ip, option, p4, Router } from './helpers.js';

const everything: Partial<Dhcp4Config> = {
  domain: 'mesh.example',
  search: ['mesh.example', 'lan'],
  mtu: 1400,
  ntp: [ip('10.44.0.3')],
  captivePortal: 'https://portal.example/api',
  ipv6OnlyWait: 1800,
  routes: [{ destination: p4('10.0.0.0/8'), via: ip('10.44.0.1') }],
};

const text = (value: string) => toHex(new TextEncoder().encode(value));

/** The parameters of an offer, without what every offer has. */
function parameters(changes: Partial<Dhcp4Config>, ask?: readonly number[]): Record<number, string> {
  const offer = new Router(changes).send('discover', {
    requested: ip('10.44.0.50'),
    ...(ask === undefined ? {} : { ask }),
  });
  const shown = [...offer.reply!.message.options].filter(([code]) => ![51, 53, 54, 58, 59].includes(code));
  return Object.fromEntries(shown.map(([code, value]) => [code, toHex(value)]));
}

t.test('all that a client can ask for', async (t) => {
  t.same(parameters(everything, [1, 3, 6, 15, 26, 28, 42, 108, 114, 119]), {
    1: 'ffffff00',
    3: '0a2c0001',
    6: '0a2c0001' + '0a2c0002',
    15: text('mesh.example'),
    26: '0578',
    28: '0a2c00ff',
    42: '0a2c0003',
    108: '00000708',
    114: text('https://portal.example/api'),
    119: `04${text('mesh')}07${text('example')}00` + `03${text('lan')}00`,
  });
});

t.test('only what it asks for, in its order, once each, and always the netmask', async (t) => {
  const router = new Router(everything);
  const offer = router.send('discover', { ask: [15, 6, 6, 200, 0, 255, 53, 54, 51] });
  t.same([...offer.reply!.message.options.keys()], [53, 54, 51, 58, 59, 15, 6, 1]);
});

t.test('a client that does not say gets the usual', async (t) => {
  t.same(Object.keys(parameters(everything)), ['1', '3', '6', '15', '26', '28']);
  t.same(Object.keys(parameters({})), ['1', '3', '6', '28'], 'nothing that is not configured');
});

t.test('IPv6-only preferred goes only to who asks, RFC 8925 3.3', async (t) => {
  t.notOk(108 in parameters(everything));
  t.notOk(108 in parameters({}, [108]));
});

t.test('classless routes, RFC 3442', async (t) => {
  const route = '080a 0a2c0001';
  const fallback = '00 0a2c0001';
  t.equal(parameters(everything, [121])[121], toHex(fromHex(route + fallback)), 'with the default route among them');
  t.equal(parameters(everything, [249])[249], toHex(fromHex(route + fallback)), "Windows' number");
  t.equal(parameters({}, [121])[121], undefined, 'the router option says enough');
  const routes = [{ destination: p4('0.0.0.0/0'), via: ip('10.44.0.9') }];
  t.equal(parameters({ routes }, [121])[121], '000a2c0009', 'a default route of the configuration');
});

t.test("netmask 'host': a /32, and a route that says the gateway is on the link", async (t) => {
  const onLink = '20 0a2c0001 00000000';
  t.same(parameters({ netmask: 'host' }, [1, 3, 28, 121]), {
    1: 'ffffffff',
    3: '0a2c0001',
    121: toHex(fromHex(onLink + '00 0a2c0001')),
  });
});

t.test('a prefix that the gateway is not in', async (t) => {
  const prefixes = [p4('10.44.0.0/24'), p4('10.45.0.0/25')];
  const offer = new Router({ prefixes }).send('discover', { requested: ip('10.45.0.9'), ask: [1, 28, 121] });
  t.equal(toHex(option(offer, OptionCode.subnetMask)!), 'ffffff80');
  t.equal(toHex(option(offer, OptionCode.broadcastAddress)!), '0a2d007f');
  t.equal(toHex(option(offer, OptionCode.classlessStaticRoute)!), toHex(fromHex('20 0a2c0001 00000000 00 0a2c0001')));
  const broadcast = new Router({ prefixes }).send('discover', {}, { destinationIp: ip('10.45.0.127') });
  t.ok(broadcast.reply, 'the directed broadcast of each prefix is for us');
  t.ok(new Router().send('discover', {}, { destinationIp: BROADCAST4 }).reply);
});

t.test('a reply keeps to the size that the client takes', async (t) => {
  const search = Array.from({ length: 30 }, (_, i) => `network-${i}.mesh.example`);
  const send = (size: string) =>
    new Router({ ...everything, search }).send('discover', {
      ask: [1, 3, 6, 119, 114],
      options: [[OptionCode.maximumMessageSize, fromHex(size)]],
    }).reply!;
  for (const [size, limit] of [['0240', 576], ['05c0', 1472], ['ffff', 1500], ['0100', 576]] as const) {
    const reply = send(size);
    t.equal(reply.limit, limit, size);
    const bytes = writeDhcp4(reply.message, reply.limit);
    t.ok(bytes.length + 28 <= limit, `${bytes.length} bytes`);
    t.equal(parseDhcp4(bytes).options.has(119), limit > 1000, 'the long search list only where it fits');
    t.ok(parseDhcp4(bytes).options.has(114), 'what fits comes all the same');
  }
});

t.test('a configured name that is none', async (t) => {
  t.throws(() => new Router({ search: ['a..b'] }), BadInput);
});
