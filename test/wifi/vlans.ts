/**
 * The part of `make wifi-test` that is about stations on bridges of their own: one hostapd with VLANs, the access point's
 * own interface on another bridge than clients are on, a second network on the same radio, and ap_isolate. And about a
 * bridge that filters VLANs, with the client interface above it, as OpenWrt's netifd makes them.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from '../bench/programs.js';
import type { Roaming, Site } from '../bench/systems.js';
import type { Client } from '../lab/client.js';
import { Service, until } from '../lab/shell.js';
import { GATEWAY4, GATEWAY_MAC } from '../lab/topology.js';
import { ok } from './checks.js';

const ROUTER = 'r1';
const OTHER_BRIDGE = 'br-other';
const FILTERING_BRIDGE = 'br-lan';
const VLAN = '20';
const PASSPHRASE = 'correct horse battery';
const SECURITY = ['wpa=2', 'rsn_pairwise=CCMP', 'wpa_key_mgmt=WPA-PSK', `wpa_passphrase=${PASSPHRASE}`, 'ap_isolate=1'];

/** Radios have been given: `ap0` to the router, `eth0` to the client, which had these addresses. */
export async function checkVlans(site: Site, system: Roaming, client: Client, addresses: readonly string[]): Promise<void> {
  const { net } = site;
  await net.ip(ROUTER, `link add ${OTHER_BRIDGE} type bridge forward_delay 0`);
  await net.ip(ROUTER, `link set ${OTHER_BRIDGE} up`);
  const [hostapd, supplicant] = [await startVlans(site, client.mac), await startSupplicant(site, client)];

  const isOn = (device: string) => until(`the client is on ${device}`, 20, async () => (await stationsOf(device)).includes(client.mac));
  const stationsOf = (device: string) => net.exec(ROUTER, 'iw', 'dev', device, 'station', 'dump').catch(() => '');
  const isKnownAt = (place: string) => until(`the client is known at ${place}`, 10, async () => (await places(system, client.mac)) === [...system.routers].map(() => place).join());
  const told = () => system.routers.get(ROUTER)!.daemon!.output.split(`${client.mac} is here, on `).length - 1;
  const command = (...words: string[]) => net.exec(ROUTER, 'hostapd_cli', '-p', controlOf(site, 'hostapd'), '-s', site.directory, '-i', 'ap0', ...words);
  const passes = async (what: string, step: () => Promise<unknown>) => {
    const error = await step().then(() => undefined, (cause: Error) => cause.message);
    ok(error === undefined, `VLANs: ${what}${error === undefined ? '' : ` (${error})`}`);
  };

  await isOn('ap0.1');
  await passes('a station whose VLAN is on the client bridge is here', () => isKnownAt(ROUTER));
  process.kill(client.dhcp!.child.pid!, 'SIGUSR1');
  await Promise.all([client.address(4), client.address(6)]);
  ok(String(await client.addresses()) === String(addresses), 'VLANs: with the addresses of before');
  await command('accept_acl', 'DEL_MAC', client.mac);
  await command('accept_acl', 'ADD_MAC', client.mac, 'VLAN_ID=2');
  await command('deauthenticate', client.mac);
  await isOn('ap0.2');
  await passes('on the VLAN of another bridge it is nowhere', () => isKnownAt(''));
  const before = told();
  await net.exec('client', 'wpa_cli', '-p', controlOf(site, 'wpa'), '-s', site.directory, '-i', 'eth0', 'select_network', '1');
  await isOn('ap0_1');
  await passes('on a second network of the radio, that of the client bridge, it is here', () => isKnownAt(ROUTER));
  ok(told() === before + 1, 'VLANs: it came back once');
  await hostapd.stop();

  await net.ip(ROUTER, 'link del br-client');
  await makeVlanInterface(site);
  const learnt = async () => (await ofBridge()).split('\n').filter((line) => line.includes(client.mac));
  const ofBridge = () => net.exec(ROUTER, 'bridge', 'fdb', 'show', 'br', FILTERING_BRIDGE);
  await passes("the bridge below knows the gateway's MAC", () => until('an entry', 10, async () => new RegExp(`^${GATEWAY_MAC} dev ${FILTERING_BRIDGE} vlan ${VLAN} .*permanent`, 'm').test(await ofBridge())));
  const plain = await startHostapd(site, 'plain', [...access('ap0', FILTERING_BRIDGE, 'second')]);
  await net.exec(ROUTER, 'bridge', 'vlan', 'add', 'dev', 'ap0', 'vid', VLAN, 'pvid', 'untagged');
  await isOn('ap0');
  await passes('a station on the port of a bridge that filters VLANs is on the interface of its VLAN', () => isKnownAt(ROUTER));
  process.kill(client.dhcp!.child.pid!, 'SIGUSR1');
  await passes('it has its addresses there', () => until('its addresses', 20, async () => String(await client.addresses()) === String(addresses)));
  await passes('and reaches its gateway', () => net.exec('client', 'ping', '-qc', '1', '-W', '5', GATEWAY4));
  await passes('the bridge has learnt it in the VLAN', () => until('an entry', 5, async () => (await learnt()).some((line) => line.includes(`vlan ${VLAN} `))));
  // Whoever goes without a word leaves the bridge's entry, which stands for minutes.
  await plain.stop();
  await net.ip(ROUTER, 'link add port type veth peer name far-port');
  await net.ip(ROUTER, `link set port master ${FILTERING_BRIDGE} up`);
  await net.ip(ROUTER, 'link set far-port up');
  await net.exec(ROUTER, 'bridge', 'vlan', 'add', 'dev', 'port', 'vid', VLAN);
  await net.exec(ROUTER, 'bridge', 'fdb', 'replace', client.mac, 'dev', 'port', 'vlan', VLAN, 'master', 'dynamic');
  await passes('when it has left, the bridge has forgotten it', () => until('no entry', 20, async () => (await learnt()).length === 0));
  await supplicant.stop();
}

/** In place of the client bridge: one that filters VLANs, and on it the interface of a VLAN, which has its name: `option setup` does the rest. */
async function makeVlanInterface({ net }: Site): Promise<void> {
  await net.ip(ROUTER, `link add ${FILTERING_BRIDGE} type bridge forward_delay 0 vlan_filtering 1`);
  await net.exec(ROUTER, 'bridge', 'vlan', 'add', 'dev', FILTERING_BRIDGE, 'vid', VLAN, 'self');
  await net.ip(ROUTER, `link add link ${FILTERING_BRIDGE} name br-client type vlan id ${VLAN}`);
  for (const device of [FILTERING_BRIDGE, 'br-client']) await net.ip(ROUTER, `link set ${device} up`);
}

/** Where each router says that the client is. */
async function places(system: Roaming, mac: string): Promise<string> {
  const answers = await Promise.all([...system.routers.values()].map((router) => ask(router, 'clients')));
  return answers.map((answer) => (answer as { clients?: { mac: string; node_name: string }[] }).clients?.find((one) => one.mac === mac)?.node_name ?? '').join();
}

const controlOf = ({ directory }: Site, program: string) => join(directory, `vlans-${program}`);

/** Lines of hostapd's configuration for one access point. */
const access = (device: string, bridge: string, ssid: string) => [
  `interface=${device}`, 'driver=nl80211', 'hw_mode=g', 'channel=1', `ssid=${ssid}`, `bridge=${bridge}`, ...SECURITY,
];

async function startVlans(site: Site, mac: string): Promise<Service> {
  const file = (name: string) => join(site.directory, `vlans-${name}`);
  await writeFile(file('accept'), `${mac} 1\n`);
  await writeFile(file('table'), `1 ap0.1 br-client\n2 ap0.2 ${OTHER_BRIDGE}\n`);
  return startHostapd(site, 'hostapd', [
    ...access('ap0', OTHER_BRIDGE, 'mesh'), 'dynamic_vlan=1', `accept_mac_file=${file('accept')}`, `vlan_file=${file('table')}`,
    'bss=ap0_1', 'bssid=02:00:00:00:02:11', 'ssid=second', 'bridge=br-client', ...SECURITY,
  ]);
}

async function startHostapd(site: Site, name: string, lines: readonly string[]): Promise<Service> {
  const file = join(site.directory, `vlans-${name}.conf`);
  await writeFile(file, [`ctrl_interface=${controlOf(site, name)}`, ...lines].join('\n') + '\n');
  const hostapd = start(site, ROUTER, 'hostapd', file);
  await until('hostapd is up', 60, async () => {
    if (!hostapd.running) throw new Error(`hostapd ended:\n${hostapd.output}`);
    return hostapd.output.includes('AP-ENABLED');
  });
  return hostapd;
}

async function startSupplicant(site: Site, client: Client): Promise<Service> {
  const network = (ssid: string, more: string) => `network={\nssid="${ssid}"\nscan_freq=2412\npsk="${PASSPHRASE}"\nkey_mgmt=WPA-PSK\n${more}}\n`;
  const file = join(site.directory, 'vlans-wpa.conf');
  await writeFile(file, `ctrl_interface=${controlOf(site, 'wpa')}\n${network('mesh', '')}${network('second', 'disabled=1\n')}`);
  return start(site, client.name, 'wpa_supplicant', '-i', 'eth0', '-D', 'nl80211', '-c', file);
}

function start({ net, cleanup }: Site, host: string, ...command: string[]): Service {
  const service = new Service(command[0]!, net.in(host, ...command));
  cleanup.add(() => service.stop());
  return service;
}
