/** The kernel of a rehearsal: does whatever netlink asks of it, and its access point has let every station pass. */
import type { NativeCallback, NativeSocket, PacketAddon } from '../linux/addons.js';
import { encodeChange } from '../linux/kernel-messages.js';
import { encodeStation, getStation, parseStation, parseStationEvent } from '../linux/netlink/nl80211.js';
import { NETLINK_GENERIC, NETLINK_ROUTE, NetlinkSocket } from '../linux/netlink/socket.js';
import { MessageWriter, NLMSG_ERROR, parseMessages, stampMessage } from '../linux/netlink/wire.js';
import type { Wireless, WirelessHandlers } from '../linux/wifi-stations.js';
import type { Mac } from '../net/mac.js';
import type { KernelChange } from '../ports.js';

/** The family number of nl80211: kernels choose it when they start, any will do here. */
const FAMILY = 32;
const TABLE = 44;

export class StageKernel {
  readonly #routes: NetlinkSocket;
  readonly #stations: NetlinkSocket;
  #handlers: WirelessHandlers | undefined;

  /** `client`: the one station that there may be, at the interface `ifindex`. */
  constructor(
    private readonly name: string,
    private readonly ifindex: number,
    private readonly client: Mac,
  ) {
    this.#routes = new NetlinkSocket(this.#addon(() => []), NETLINK_ROUTE);
    this.#stations = new NetlinkSocket(this.#addon(() => [this.#station(true)]), NETLINK_GENERIC);
  }

  /** Sockets of which every request has these answers, and is acknowledged. */
  #addon(answers: () => readonly Uint8Array[]): Pick<PacketAddon, 'NetlinkSocket'> {
    class Socket implements NativeSocket {
      #waiting: Uint8Array[] = [];

      constructor(
        _protocol: number,
        _receiveBuffer: number,
        private readonly callback: NativeCallback,
      ) {}

      send(bytes: Uint8Array): number {
        const { sequence } = parseMessages(bytes).at(-1)!;
        for (const answer of [...answers(), new MessageWriter(NLMSG_ERROR).u32(0).done()]) {
          stampMessage(answer, sequence, 0);
          this.#waiting.push(answer);
        }
        return 0;
      }

      receive(): void {
        this.callback(0, this.#waiting.splice(0));
      }

      attachFilter = () => 0;
      setOption = () => 0;
      getOption = () => 0;
      close = () => {};
    }
    return { NetlinkSocket: Socket };
  }

  #station(authorized: boolean): Uint8Array {
    return encodeStation(FAMILY, { ifindex: this.ifindex, mac: this.client, authorized });
  }

  apply(changes: readonly KernelChange[]): Promise<(Error | undefined)[]> {
    return this.#routes.batch(changes.map((change) => encodeChange(change, TABLE)));
  }

  async open(handlers: WirelessHandlers): Promise<Wireless> {
    this.#handlers = handlers;
    return {
      interfaces: async () => [{ ifindex: this.ifindex, name: this.name, radio: 0, accessPoint: true, vlan: false }],
      stations: async () => [],
      station: async (ifindex, mac) => {
        const [reply] = await this.#stations.request(getStation(FAMILY, ifindex, mac));
        return reply && parseStation(reply);
      },
      removeStation: async () => {},
      close: () => {},
    };
  }

  /** The client has authenticated. */
  appear(): void {
    const event = parseMessages(this.#station(false)).map(parseStationEvent)[0];
    if (event !== undefined) this.#handlers?.onStation(event);
  }
}
