import type { Millis } from '../../src/clients/time.js';
import type { Ip } from '../../src/net/ip.js';
import { parseIp } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { macFromBytes } from '../../src/net/mac.js';
import { hostPrefix } from '../../src/net/prefix.js';
import type { ClientLink, Kernel, KernelChange, KernelEvent, KernelState, Path } from '../../src/ports.js';
import { ModelKernel } from '../routes/model-kernel.js';
import { addressOf } from './network.js';

export const CLIENT_NETWORK = 'br-client';
export const CLIENT_IFINDEX = 9;
/** The interface towards the mesh; gateways are the neighbours' own addresses. */
const MESH_IFINDEX = 2;

/** A host's kernel: what is in it outlives the process. */
export class HostKernel {
  readonly model = new ModelKernel();
  /** Told after changes. */
  changed: () => void = () => {};

  constructor(
    readonly index: number,
    /** Host number of the next hop towards another host, as the routing protocol has it now. */
    readonly nextHop: (to: number) => number | undefined,
  ) {}

  /** Every other router is a virtual machine, whose id is made by chance. */
  get permanentMacs(): Mac[] {
    return this.index % 2 === 0 ? [macFromBytes(Uint8Array.of(0xa4, 0x2b, 0xb0, 0, this.index >> 8, this.index & 255))] : [];
  }

  link(): ClientLink {
    return {
      network: CLIENT_NETWORK,
      ifindex: CLIENT_IFINDEX,
      mac: '00:00:5e:00:52:13' as Mac,
      mtu: 1500,
      up: true,
      addresses: ['10.44.0.1', 'fe80::200:5eff:fe00:5213'].map((address) => hostPrefix(parseIp(address))),
    };
  }

  resolve(address: Ip): Path | undefined {
    const to = parseInt(address.slice('fd00::'.length), 16) - 1;
    const next = this.nextHop(to);
    return next === undefined ? undefined : { ifindex: MESH_IFINDEX, gateway: parseIp(addressOf(next)) };
  }
}

/** A process's socket to that kernel: answers take a moment, and none comes when the process is gone. */
export class ProcessKernel implements Kernel {
  readonly nexthopObjects = true;
  readonly #host: HostKernel;
  readonly #pause: () => Promise<void>;
  readonly #transit: boolean;
  #listener: ((event: KernelEvent) => void) | undefined;

  constructor(host: HostKernel, pause: () => Promise<void>, transit: boolean) {
    this.#host = host;
    this.#pause = pause;
    this.#transit = transit;
  }

  start(listener: (event: KernelEvent) => void): void {
    this.#listener = listener;
  }

  stop(): void {
    this.#listener = undefined;
  }

  tell(event: KernelEvent): void {
    this.#listener?.(event);
  }

  async installRules(): Promise<void> {
    await this.#host.model.installRules();
  }

  async removeRules(): Promise<void> {
    await this.#host.model.removeRules();
  }

  async state(): Promise<KernelState> {
    await this.#pause();
    return this.#host.model.snapshot();
  }

  async apply(changes: readonly KernelChange[]): Promise<(Error | undefined)[]> {
    await this.#pause();
    const results = changes.map((change) => this.#host.model.change(change));
    this.#host.changed();
    return results;
  }

  async resolve(address: Ip): Promise<Path | undefined> {
    await this.#pause();
    return this.#host.resolve(address);
  }

  purge(): void {}

  forgetPort(): void {}

  async clientLinks(): Promise<ClientLink[]> {
    await this.#pause();
    return this.#transit ? [] : [this.#host.link()];
  }

  async permanentMacs(): Promise<Mac[]> {
    await this.#pause();
    return this.#host.permanentMacs;
  }

  async nodeAddresses(): Promise<Ip[]> {
    return [parseIp(addressOf(this.#host.index))];
  }
}

/** What a call of the kernel takes. */
export const KERNEL_DELAY: readonly [Millis, Millis] = [0.05, 1];
