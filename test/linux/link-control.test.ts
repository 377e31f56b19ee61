/** Client interfaces of a real kernel, set up and put back. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../../src/gateway/gateway.js';
import { GatewayLinks } from '../../src/gateway/links.js';
import { LinuxKernel } from '../../src/linux/kernel.js';
import { LinuxLinkControl } from '../../src/linux/link-control.js';
import type { Ip4 } from '../../src/net/ip.js';
import type { Prefix4 } from '../../src/net/prefix.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { addon, ifindex, inNamespace, ip, ipJson } from './namespace.js';
import { SILENT } from '../support.js';

const gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: ['10.44.0.1' as Ip4] };
const wanted = { interfaces: ['br-client'], gateway, prefixes4: [parsePrefix('10.44.0.0/16') as Prefix4], setup: true, watchesOnly: false };

const addresses = () =>
  (ipJson('addr show dev br-client')[0]!['addr_info'] as { local: string; prefixlen: number; tentative?: boolean }[])
    .map(({ local, prefixlen, tentative }) => `${local}/${prefixlen}${tentative === true ? ' tentative' : ''}`)
    .sort();
const mac = () => ipJson('link show dev br-client')[0]!['address'];

const nft = (words: string) => execFileSync('nft', words.split(' '), { encoding: 'utf8' });

function hasNft(): boolean {
  try {
    nft('--version');
    return true;
  } catch {
    return false;
  }
}

await inNamespace(t, import.meta.url, async (t) => {
  const kernel = await LinuxKernel.open({ addon: addon(), log: SILENT });
  const control = new LinuxLinkControl(addon());
  ip('link add br-client address 02:00:00:00:00:09 type bridge forward_delay 0');
  ip('link set br-client up');

  await t.test('a bridge becomes the gateway and its own self again', async (t) => {
    const names = ['net/ipv4/conf/br-client/forwarding', 'net/ipv6/conf/br-client/accept_dad'];
    const before = { mac: mac(), addresses: addresses(), settings: await control.settings(names) };
    const links = new GatewayLinks(control, SILENT);
    t.equal(await links.prepare(await kernel.clientLinks(['br-client']), wanted, 0 as Instant), true);
    t.equal(mac(), GATEWAY_MAC);
    t.ok(addresses().includes('10.44.0.1/16'), addresses().join());
    t.ok(addresses().includes(`${GATEWAY_LINK_LOCAL}/64`), 'usable at once, without duplicate address detection');
    t.same([...(await control.settings(names)).values()], ['1', '0']);
    t.equal(await links.prepare(await kernel.clientLinks(['br-client']), wanted, 0 as Instant), false, 'nothing is left to do');
    await links.restore();
    t.same({ mac: mac(), addresses: addresses(), settings: await control.settings(names) }, before);
  });

  await t.test('settings that there are none of are absent; what the kernel refuses is an error', async (t) => {
    const settings = await control.settings(['net/ipv4/conf/nowhere/forwarding', 'net/ipv4/ip_forward']);
    t.same([...settings.keys()], ['net/ipv4/ip_forward']);
    const index = ifindex('br-client');
    const errors = await control.apply([
      { op: 'setting', name: 'net/ipv4/conf/nowhere/forwarding', value: '1' },
      { op: 'removeAddress', ifindex: index, address: '192.0.2.1' as Ip4, length: 32 },
      { op: 'setting', name: 'net/ipv4/ip_forward', value: '1' },
    ]);
    t.match(errors.map((error) => error && (error as Error & { code?: string }).code), ['ENOENT', 'EADDRNOTAVAIL', undefined]);
  });

  await t.test('redirects are kept from client interfaces as long as this lasts', { skip: !hasNft() && 'needs nft' }, async (t) => {
    const control = new LinuxLinkControl(addon());
    await control.blockRedirects(['br-client', 'br-guest']);
    await control.blockRedirects(['br-client']);
    t.same(nft('list ruleset').replace(/ # progname.*| # handle.*/g, '').split('\n').map((line) => line.trim()).filter((line) => line !== ''), [
      'table inet roaming {',
      'flags owner',
      'chain output {',
      'type filter hook output priority filter; policy accept;',
      'oifname "br-client" icmp type redirect drop',
      'oifname "br-client" icmpv6 type nd-redirect drop',
      '}',
      '}',
    ]);
    await control.blockRedirects([]);
    t.equal(nft('list ruleset').trim(), '');
    control.stop();
  });

  kernel.stop();
});
