/** `roaming check`: the doctor. Gathers what there is to know of this router and says what is wrong, and what fixes it. */
import { dirname } from 'node:path';
import { gatewayWanted } from '../client-gateway.js';
import type { Config } from '../config/config.js';
import { presenceSources } from '../config/presence.js';
import { checkGatewayLink, neededSettings } from '../gateway/check.js';
import { installedAddon } from '../linux/addons.js';
import { hasIp6 } from '../linux/ip6.js';
import { LinuxKernel } from '../linux/kernel.js';
import { LinuxLinkControl } from '../linux/link-control.js';
import { StreamLogger } from '../linux/log.js';
import { isAccessPoint } from '../presence/source.js';
import { checkBabel } from './doctor/babel.js';
import { checkDhcp } from './doctor/dhcp.js';
import { gatherBabel, gatherBus, gatherMesh, readMtus, readUci } from './doctor/facts.js';
import type { Finding } from './doctor/finding.js';
import { formatFindings, hasErrors } from './doctor/finding.js';
import type { LinkReport } from './doctor/gateway.js';
import { checkLinks } from './doctor/gateway.js';
import { checkAccessPoints, checkClock, checkIp6, checkMtu, checkNodes, checkPeers, checkPrefixes, checkProblems, checkReach } from './doctor/network.js';
import { networksOf } from './doctor/uci.js';
import { loadConfig } from './load-config.js';
import { packageManager } from './packages.js';
import { chooseStyle } from './style.js';

export interface CheckOptions {
  readonly config: string;
  readonly ubus: string | undefined;
  /** Only the configuration file. */
  readonly offline: boolean;
  readonly json: boolean;
}

/** Whether roaming can work. Rejects with ConfigError where the configuration cannot be used. */
export async function check(options: CheckOptions): Promise<boolean> {
  const config = await loadConfig(options.config);
  const findings = [checkRole(options.config, config), ...(options.offline ? [] : await examine(config, options))];
  const style = chooseStyle(process.stdout.isTTY === true, process.env);
  process.stdout.write(options.json ? `${JSON.stringify({ findings }, null, 2)}\n` : formatFindings(findings, style));
  return !hasErrors(findings);
}

function checkRole(file: string, { enabled, interface: interfaces, peer }: Config): Finding {
  const role = interfaces.length === 0 ? 'a transit node' : `clients on ${interfaces.join(', ')}`;
  const message = `${file} (${role}; peers: ${peer.length})`;
  if (enabled) return { level: 'good', message };
  const fix = ['uci set roaming.main.enabled=1', 'uci commit roaming && service roaming restart'];
  return { level: 'warning', message: `${message}: not enabled`, fix };
}

async function examine(config: Config, { config: file, ubus }: CheckOptions): Promise<Finding[]> {
  const directory = dirname(file);
  const bus = await gatherBus(ubus);
  const [network, dhcp] = await Promise.all([readUci(directory, 'network'), readUci(directory, 'dhcp')]);
  const networks = network === undefined ? [] : networksOf(network, config.interface);
  const devices = config.interface.map((name) => networks.find((one) => one.network === name)?.device ?? name);
  const wireless = config.interface.filter((network) => presenceSources(config.presence, network).some(isAccessPoint));
  const manager = packageManager();
  const babel = await gatherBabel(directory, bus.babelId);
  const mesh = await gatherMesh(bus.nodes ?? []);
  const findings = [
    ...checkIp6(hasIp6()),
    ...(await checkInterfaces(config, devices)),
    ...(dhcp === undefined ? [] : checkDhcp(dhcp, networks)),
    ...checkAccessPoints(bus.accessPoints, wireless, manager),
    ...checkBabel(babel, devices.length > 0 ? config.gatewayMac : undefined, manager),
    ...checkPeers(bus.peers),
    ...checkNodes(bus.nodes),
    ...checkReach(mesh.unreachable),
    ...checkPrefixes(bus.leases, config.prefix),
    ...checkMtu(await readMtus(devices), mesh.links, config.mtu),
    checkClock(Date.now() / 1000),
  ];
  return [...findings, ...checkProblems(bus.problems, findings)];
}

async function checkInterfaces(config: Config, devices: readonly string[]): Promise<Finding[]> {
  if (devices.length === 0) return [];
  try {
    return checkLinks(await lookAtInterfaces(config, devices), config.setup);
  } catch (error) {
    return [{ level: 'unknown', message: `interfaces not looked at: ${(error as Error).message}` }];
  }
}

async function lookAtInterfaces(config: Config, devices: readonly string[]): Promise<LinkReport[]> {
  const { table, rulePriority } = config;
  const addon = installedAddon();
  const kernel = await LinuxKernel.open({ addon, log: new StreamLogger('error'), table, rulePriority });
  const { gateway } = gatewayWanted(config);
  try {
    const links = await kernel.clientLinks(devices);
    const settings = await new LinuxLinkControl(addon).settings(devices.flatMap((device) => neededSettings(device)).map(({ name }) => name));
    return devices.map((device) => {
      const link = links.find(({ network }) => network === device);
      return { device, problems: link && checkGatewayLink(link, gateway, settings) };
    });
  } finally {
    kernel.stop();
  }
}
