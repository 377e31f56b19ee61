import t from 'tap';
import { BadInput, fromHex, toHex } from '../../src/net/bytes.js';
import { ANY4, parseIp4 } from '../../src/net/ip.js';
import {
  addressesValue,
  classlessRoutesValue,
  domainSearchValue,
  MalformedDhcp4,
  optionIp4,
  optionU16,
  optionU32,
  optionU8,
} from '../../src/dhcp4/options.js';
import { hostNameIn } from '../../src/dhcp4/hostname.js';
import { p4 } from './helpers.js';

t.test('values of fixed length', async (t) => {
  const options = new Map([
    [50, fromHex('0a2c0009')],
    [51, fromHex('00000e10')],
    [53, fromHex('01')],
    [57, fromHex('05c0')],
    [54, fromHex('00000000')],
    [1, fromHex('ffff')],
    [3, fromHex('')],
  ]);
  t.equal(optionIp4(options, 50), '10.44.0.9');
  t.equal(optionU32(options, 51), 3600);
  t.equal(optionU8(options, 53), 1);
  t.equal(optionU16(options, 57), 1472);
  t.equal(optionIp4(options, 54), undefined, '0.0.0.0 is none');
  t.equal(optionIp4(options, 6), undefined);
  t.throws(() => optionIp4(options, 1), MalformedDhcp4);
  t.throws(() => optionIp4(options, 3), MalformedDhcp4);
  t.equal(optionIp4(new Map([[50, fromHex('0a2c00090a2c0009')]]), 50), '10.44.0.9', 'sent twice: the first counts');
});

t.test('classless routes: the example of RFC 3442 page 4', async (t) => {
  const cases: [string, string][] = [
    ['0.0.0.0/0', '00'],
    ['10.0.0.0/8', '080a'],
    ['10.0.0.0/24', '180a0000'],
    ['10.17.0.0/16', '100a11'],
    ['10.27.129.0/24', '180a1b81'],
    ['10.229.0.128/25', '190a e5 00 80'],
    ['10.198.122.47/32', '200ac67a2f'],
  ];
  for (const [destination, descriptor] of cases) {
    const value = classlessRoutesValue([{ destination: p4(destination), via: parseIp4('10.44.0.1') }]);
    t.equal(toHex(value), toHex(fromHex(descriptor)) + '0a2c0001', destination);
  }
  t.equal(toHex(classlessRoutesValue([{ destination: p4('10.44.0.1/32'), via: ANY4 }])), '200a2c000100000000');
});

t.test('domain search, RFC 3397', async (t) => {
  const name = (text: string) => toHex(new TextEncoder().encode(text));
  t.equal(toHex(domainSearchValue(['mesh.example', 'lan'])), `04${name('mesh')}07${name('example')}00` + `03${name('lan')}00`);
  t.equal(domainSearchValue([]).length, 0);
  for (const bad of ['', 'a..b', 'x'.repeat(64), Array(64).fill('abc').join('.')]) {
    t.throws(() => domainSearchValue([bad]), BadInput, bad.slice(0, 20));
  }
});

t.test('addresses', async (t) => {
  t.equal(toHex(addressesValue([parseIp4('10.44.0.1'), parseIp4('255.0.0.1')])), '0a2c0001ff000001');
});

t.test('the name that a client gives itself', async (t) => {
  const text = (value: string) => new TextEncoder().encode(value);
  const hostName = (value: Uint8Array) => hostNameIn(new Map([[12, value]]));
  const fqdn = (value: Uint8Array) => hostNameIn(new Map([[81, value]]));
  t.equal(hostName(text('phone')), 'phone');
  t.equal(hostName(text('phone\0junk')), 'phone', 'some end it with a zero');
  t.equal(hostName(text('Zoë’s-laptop')), 'Zoë’s-laptop');
  t.equal(hostName(text('a\x1b[31m<b>"c"\n`d`\u202e')), 'a31mbcd', 'nothing for terminals and pages to trip over');
  t.equal(hostName(text('x'.repeat(255)))?.length, 63);
  t.equal(hostName(fromHex('fffe00')), undefined, 'nothing is left');
  t.equal(hostName(text('')), undefined);
  t.equal(fqdn(Uint8Array.of(0, 0, 0, ...text('sensor.lan'))), 'sensor.lan', 'RFC 4702, ASCII');
  t.equal(fqdn(fromHex('040000 0673656e736f72 036c616e 00')), 'sensor.lan', 'RFC 4702, encoded');
  t.equal(fqdn(fromHex('040000 0673656e736f72')), 'sensor', 'encoded, a relative name');
  t.equal(fqdn(fromHex('040000 3f6162')), undefined, 'cut short');
  t.equal(fqdn(fromHex('0400')), undefined);
  t.equal(hostNameIn(new Map()), undefined);
});
