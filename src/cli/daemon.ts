/** `roaming daemon`: the composition root. Real ports, signals, and the end of the process. */
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { UbusClient } from 'ubus-ts';
import type { Config } from '../config/config.js';
import type { Ports } from '../daemon.js';
import { Daemon } from '../daemon.js';
import { loadPacketAddon } from '../linux/addons.js';
import { UbusObject } from '../linux/bus.js';
import { systemClock, systemRandom, systemWallClock } from '../linux/clock.js';
import { LinuxKernel } from '../linux/kernel.js';
import { StreamLogger } from '../linux/log.js';
import { LinuxMesh } from '../linux/mesh.js';
import { PacketSockets } from '../linux/packets.js';
import { HostapdStations } from '../linux/stations.js';
import { DirectoryStorage } from '../linux/storage.js';
import { VERSION } from '../version.js';
import { ConfigError, loadConfig } from './load-config.js';

export interface DaemonArguments {
  readonly configFile: string;
  readonly ubusSocket: string | undefined;
}

/** Runs until a signal ends it. Rejects, with nothing left behind, where it cannot start. */
export async function runDaemon({ configFile, ubusSocket }: DaemonArguments): Promise<void> {
  const config = await loadConfig(configFile);
  const log = new StreamLogger(config.logLevel);
  if (!config.enabled) return log.info(`not enabled: option enabled is 0 in ${configFile}`);
  const ubus = await connectUbus(ubusSocket, log);
  const daemon: Daemon = await Daemon.start(await makePorts(config, log, ubus), {
    config,
    hostname: hostname(),
    version: VERSION,
    reload: () => reload(daemon, configFile, log),
  });
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    process.on('SIGHUP', () => void reload(daemon, configFile, log));
    process.on('SIGUSR1', () => daemon.dump());
  });
  await daemon.stop();
  ubus.close();
}

async function makePorts(config: Config, log: StreamLogger, ubus: UbusClient): Promise<Ports> {
  const addon = loadPacketAddon(join(dirname(process.argv[1]!), 'packet.node'));
  return {
    clock: systemClock,
    wallClock: systemWallClock,
    random: systemRandom,
    log,
    kernel: await LinuxKernel.open({ addon, log, table: config.table, rulePriority: config.rulePriority }),
    packets: new PacketSockets(addon, log),
    stations: new HostapdStations(ubus, log),
    mesh: new LinuxMesh({ key: config.auth === 'none' ? undefined : config.key, log }),
    storage: new DirectoryStorage(config.stateDir),
    bus: new UbusObject(ubus, 'roaming', log),
  };
}

/** ubusd may come later than we do: clients are served meanwhile as far as they are known. */
async function connectUbus(path: string | undefined, log: StreamLogger): Promise<UbusClient> {
  const ubus = new UbusClient({
    ...(path === undefined ? {} : { path }),
    onError: (error) => log.warn(`ubus: ${error.message}`),
  });
  ubus.on('disconnect', (error) => log.warn(`ubus: ${error.message}: reconnecting`));
  await ubus.connect({ persist: true });
  return ubus;
}

/** A configuration that cannot be used changes nothing: returns what is wrong with it. */
async function reload(daemon: Daemon, configFile: string, log: StreamLogger): Promise<readonly string[]> {
  try {
    const config = await loadConfig(configFile);
    log.level = config.logLevel;
    daemon.reload(config);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) log.error(line);
    log.error('the configuration stays as it was');
    return error.lines;
  }
}
