/** `roaming daemon`: the composition root. Real ports, signals, and the end of the process. */
import { hostname, setPriority } from 'node:os';
import { UbusClient } from 'ubus-ts';
import type { Config } from '../config/config.js';
import { sourcesOf } from '../config/presence.js';
import { needsRestart } from '../config/restart.js';
import { NO_IP6, withoutIp6 } from '../config/without-ip6.js';
import type { Ports } from '../daemon.js';
import { Daemon } from '../daemon.js';
import { installedAddon } from '../linux/addons.js';
import { UbusObject } from '../linux/bus.js';
import { openWallClock, systemClock, systemRandom } from '../linux/clock.js';
import { LinuxDhcpPort } from '../linux/dhcp-port.js';
import { LinuxDiscovery } from '../linux/discovery.js';
import { hasIp6 } from '../linux/ip6.js';
import { LinuxKernel } from '../linux/kernel.js';
import { LinuxLinkControl } from '../linux/link-control.js';
import { StreamLogger } from '../linux/log.js';
import { derivePsk, LinuxMesh } from '../linux/mesh.js';
import { Networks } from '../linux/networks.js';
import { observing } from '../linux/observing.js';
import { PacketSockets } from '../linux/packets.js';
import { LinuxStations } from '../linux/linux-stations.js';
import { LinuxStrays } from '../linux/strays.js';
import { claimNamespace } from '../linux/single.js';
import { DirectoryStorage } from '../linux/storage.js';
import { VERSION } from '../version.js';
import { CliError, ExitCode } from './ask.js';
import { ConfigError, loadConfig } from './load-config.js';
import { reported } from './outcome.js';
import { rehearse } from './rehearsal.js';
import { SignalInbox } from './signals.js';

export interface DaemonArguments {
  readonly configFile: string;
  readonly ubusSocket: string | undefined;
  /** Something starts the daemon again whenever it ends: a configuration that cannot be used is waited out. */
  readonly supervised: boolean;
}

interface Context {
  readonly configFile: string;
  readonly log: StreamLogger;
  readonly ubus: UbusClient;
  readonly signals: SignalInbox;
}

/** Runs until a signal ends it. Where it cannot start a person is told why, and nothing is left behind. */
export async function runDaemon(daemon: DaemonArguments): Promise<void> {
  await reported(() => run(daemon));
}

async function run({ configFile, ubusSocket, supervised }: DaemonArguments): Promise<void> {
  const log = new StreamLogger('info');
  const signals = new SignalInbox();
  try {
    let config: Config | undefined = supervised
      ? await waitForConfig(configFile, log, signals)
      : onlyEnabled(await loadConfig(configFile), configFile, log);
    if (config === undefined) return;
    log.level = config.logLevel;
    const release = await claimNamespace();
    if (release === undefined) throw new CliError('another daemon runs here: what it has set in the kernel is left alone', ExitCode.failure);
    const { ubus, disconnect } = await connectUbus(ubusSocket, log);
    try {
      while (config !== undefined) config = await serve(config, { configFile, log, ubus, signals });
    } finally {
      disconnect();
      release();
    }
  } finally {
    signals.close();
  }
}

function onlyEnabled(config: Config, configFile: string, log: StreamLogger): Config | undefined {
  if (!config.enabled) log.info(`not enabled: option enabled is 0 in ${configFile}`);
  return config.enabled ? config : undefined;
}

/** The first configuration that can be used, tried at each SIGHUP; undefined where told to end before. */
async function waitForConfig(configFile: string, log: StreamLogger, signals: SignalInbox): Promise<Config | undefined> {
  for (;;) {
    const { config } = await tryConfig(configFile, log);
    const usable = config === undefined ? undefined : onlyEnabled(config, configFile, log);
    if (usable !== undefined) return usable;
    log.info("waiting for a configuration to run with ('service roaming reload')");
    if ((await signals.next()) !== 'SIGHUP') return undefined;
  }
}

/** The configuration, or what keeps it from being used: lines for a person. */
async function readConfig(configFile: string): Promise<{ readonly config?: Config; readonly problems: readonly string[] }> {
  try {
    return { config: await loadConfig(configFile), problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.lines };
    throw error;
  }
}

/** The same, and says in the log why it cannot be used. */
async function tryConfig(configFile: string, log: StreamLogger) {
  const read = await readConfig(configFile);
  for (const line of read.problems) log.error(line);
  return read;
}

/** One life of the daemon. The configuration to begin the next with, or undefined at the end. */
async function serve(first: Config, context: Context): Promise<Config | undefined> {
  const { configFile, log, ubus, signals } = context;
  const networks = new Networks(ubus, log);
  const isWithoutIp6 = !hasIp6();
  if (isWithoutIp6) log.warn(NO_IP6);
  const withDevices = async (config: Config) => ({
    ...(isWithoutIp6 ? withoutIp6(config) : config),
    interface: await networks.devices(config.interface),
    meshInterface: await networks.devices(config.meshInterface),
  });
  let config = first;
  let refused: readonly string[] = [];
  let applied = await withDevices(config);
  const daemon = await Daemon.start(await makePorts(applied, () => applied.interface, log, ubus), {
    config: applied,
    hostname: hostname(),
    version: VERSION,
    reload: async () => {
      signals.put('SIGHUP');
      return (await readConfig(configFile)).problems;
    },
    problems: () => [...(isWithoutIp6 ? [NO_IP6] : []), ...refused.map((line) => `the configuration from before is still in use: ${line}`)],
  });
  raisePriority(log);
  const rehearsal = setTimeout(() => void rehearseFor(log), REHEARSAL_DELAY);
  networks.follow(() => signals.put('networks'));
  try {
    for (;;) {
      const signal = await signals.next();
      if (signal === 'SIGTERM' || signal === 'SIGINT') return undefined;
      if (signal === 'SIGUSR1') daemon.dump();
      if (signal === 'SIGHUP') {
        const read = await tryConfig(configFile, log);
        refused = read.problems;
        config = read.config ?? config;
      }
      if (!config.enabled) return onlyEnabled(config, configFile, log);
      const next = await withDevices(config);
      if (JSON.stringify(next) === JSON.stringify(applied)) continue;
      log.level = next.logLevel;
      if (needsRestart(applied, next)) return config;
      applied = next;
      daemon.reload(next);
    }
  } finally {
    clearTimeout(rehearsal);
    networks.stop();
    await daemon.stop();
  }
}

/** Milliseconds after the start: what clients have asked for meanwhile goes first. */
const REHEARSAL_DELAY = 1000;

async function rehearseFor(log: StreamLogger): Promise<void> {
  try {
    log.debug(`rehearsed ${await rehearse()} handovers`);
  } catch (error) {
    log.warn(`the rehearsal failed: ${(error as Error).message}`);
  }
}

/** `networks`: client interfaces as they are now, which a reload may have changed. */
async function makePorts(config: Config, networks: () => readonly string[], log: StreamLogger, ubus: UbusClient): Promise<Ports> {
  const addon = installedAddon();
  const psk = config.auth === 'none' || config.key === undefined ? undefined : derivePsk(config.key);
  const { table, rulePriority } = config;
  const strays = new LinuxStrays({ addon, log, table, rulePriority });
  const acting = {
    kernel: await LinuxKernel.open({ addon, log, table, rulePriority, strays }),
    packets: new PacketSockets(addon, log),
    stations: new LinuxStations({ addon, ubus, log, networks, sources: sourcesOf(config) }),
    linkControl: new LinuxLinkControl(addon),
    dhcpPort: new LinuxDhcpPort(log),
    strays,
  };
  return {
    ...(config.mode === 'observe' ? observing(acting, log) : acting),
    clock: systemClock,
    wallClock: await openWallClock(),
    random: systemRandom,
    log,
    mesh: new LinuxMesh({ key: psk, addon, log }),
    discovery: new LinuxDiscovery({ psk, log }),
    storage: new DirectoryStorage(config.stateDir),
    bus: new UbusObject(ubus, 'roaming', log),
  };
}

/**
 * A client's traffic stops until a handover is done, which takes a millisecond when the processor is had at once: on a
 * busy router waiting for it was measured to cost ten. Only after the start, which is long and can wait.
 */
const PRIORITY = -5;

function raisePriority(log: StreamLogger): void {
  try {
    setPriority(PRIORITY);
  } catch (error) {
    log.debug(`the priority stays as it is: ${(error as Error).message}`);
  }
}

/** ubusd may come later than we do: clients are served meanwhile as far as they are known. */
async function connectUbus(path: string | undefined, log: StreamLogger): Promise<{ ubus: UbusClient; disconnect(): void }> {
  const ubus = new UbusClient({
    ...(path === undefined ? {} : { path }),
    onError: (error) => log.warn(`ubus: ${error.message}`),
  });
  const mute = ubus.on('disconnect', (error) => log.warn(`ubus: ${error.message}: reconnecting`));
  await ubus.connect({ persist: true });
  const disconnect = () => {
    mute();
    ubus.close();
  };
  return { ubus, disconnect };
}
