/** Logical interfaces, as /etc/config/network names them, and the devices that netifd has made for them. */
import { existsSync } from 'node:fs';
import type { PlainTable, UbusClient } from 'ubus-ts';
import type { Logger } from '../ports.js';

const NETIFD = 'network.interface';

/** Milliseconds for netifd to say what it knows without doing anything for it. */
const TIMEOUT = 2000;

export class Networks {
  readonly #followed = new Set<string>();
  /** What netifd has said last. */
  readonly #known = new Map<string, string>();
  #watch: Promise<{ close(): Promise<void> }> | undefined;

  /** @param isDevice whether the kernel has a device of that name */
  constructor(
    private readonly ubus: UbusClient,
    private readonly log: Logger,
    private readonly isDevice = (name: string) => existsSync(`/sys/class/net/${name}`),
  ) {}

  /**
   * Devices for names that are a device's or a network's. What is neither stays as it is: a device may come late, and a
   * network that is not up has none yet.
   */
  async devices(names: readonly string[]): Promise<string[]> {
    for (const name of names) this.#followed.add(name);
    const devices = await Promise.all(names.map((name) => (this.isDevice(name) ? name : this.#deviceOf(name))));
    return [...new Set(devices)];
  }

  async #deviceOf(network: string): Promise<string> {
    try {
      const device = deviceIn(await this.ubus.call(NETIFD, 'status', { interface: network }, { timeout: TIMEOUT })) ?? network;
      this.#known.set(network, device);
      return device;
    } catch (error) {
      // Where netifd is away or busy for the moment, clients are still where they were.
      const device = this.#known.get(network) ?? network;
      this.log.debug(`${network} is not a device, and netifd does not say what it is: ${(error as Error).message}`);
      return device;
    }
  }

  /** Calls `changed` whenever netifd comes back, or tells of one of the names that were asked for. */
  follow(changed: () => void): void {
    this.#watch = this.ubus.watch(NETIFD, {
      appeared: changed,
      notified: (_, type, data) => {
        if (type === 'interface.update' && this.#followed.has(String(data['interface']))) changed();
      },
    });
    this.#watch.catch((error: Error) => this.log.warn(`cannot follow netifd: ${error.message}`));
  }

  stop(): void {
    void this.#watch?.then((watch) => watch.close()).catch(() => {});
  }
}

function deviceIn(status: PlainTable | undefined): string | undefined {
  const found = status?.['l3_device'] ?? status?.['device'];
  return typeof found === 'string' && found !== '' ? found : undefined;
}
