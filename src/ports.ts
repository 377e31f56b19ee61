/**
 * Ports: everything with a side effect, as interfaces. src/linux implements them on a real kernel, test/sim in one
 * process under a simulated clock; the rest of the program knows only these.
 */
import type { Family, Ip } from './net/ip.js';
import type { Mac } from './net/mac.js';
import type { Prefix } from './net/prefix.js';
import type { Instant } from './clients/time.js';
import type { PresenceSource } from './presence/source.js';

export interface Timer {
  cancel(): void;
}

export interface Clock {
  now(): Instant;
  /** Runs `task` once, not before `at`. */
  schedule(at: Instant, task: () => void): Timer;
}

/** The clock on the wall, for people: seconds since 1970, with a fraction. It may jump, and be far off after boot. */
export interface WallClock {
  time(): number;
  /** Names this boot of the system: instants of the same boot can be compared. '' where it is not known. */
  readonly boot: string;
}

export interface Random {
  /** Unpredictable bytes. */
  bytes(count: number): Uint8Array;
  /** A whole number from 0 to `bound` - 1, evenly distributed. */
  below(bound: number): number;
}

/** One line each, for logread; levels as syslog has them. */
export interface Logger {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/**
 * What a source says of a station. `network` is the client interface (bridge) that it is on, `via` the access point's
 * interface or the port of the bridge.
 */
export type StationEvent =
  /** The station may pass traffic: handshake done, an open network, or it is wired. `ssid` is '' where there is none. */
  | {
      readonly kind: 'authorized';
      readonly mac: Mac;
      readonly network: string;
      readonly via: string;
      readonly ssid: string;
      readonly source: PresenceSource;
    }
  /** The station left: disassociated, timed out, forgotten, or its access point or port is gone or out of the bridge. */
  | {
      readonly kind: 'left';
      readonly mac: Mac;
      readonly via: string;
      readonly source: PresenceSource;
    }
  /** The kernel's neighbour cache has found an address to be at a MAC (RFC 4861 7.3.2), or could not reach it there. */
  | {
      readonly kind: 'neighbour';
      readonly mac: Mac;
      readonly network: string;
      readonly address: Ip;
      readonly state: 'resolved' | 'failed';
    };

export interface Stations {
  /** From now on events are delivered; stations that are there already come first. */
  start(listener: (event: StationEvent) => void): void;
  /** Which interfaces clients are on may have changed. */
  refresh(): void;
  /** Whether there is an access point of this router on a client interface: then nothing else vouches for stations. */
  hasAccessPoint(network: string): boolean;
  /** Has the access point forget a station that is now elsewhere; does nothing where `via` is no access point. */
  disassociate(mac: Mac, via: string): void;
  stop(): void;
}

/** A frame from a client interface, Ethernet header first, without VLAN tag and checksum sequence. */
export interface ReceivedFrame {
  readonly network: string;
  readonly frame: Uint8Array;
}

export interface Packets {
  /** Frames that the daemon answers: ARP, DHCPv4 to a server, router and neighbour solicitations and advertisements. */
  start(listener: (received: ReceivedFrame) => void): void;
  /**
   * The interfaces to listen on: those that are new or were made anew are opened, those that are gone are closed. Returns why
   * some could not be opened, which the next call tries again.
   */
  attach(links: readonly ClientLink[]): readonly Error[];
  /** Sends a whole frame out of a client interface; what cannot be sent is dropped and counted. */
  send(network: string, frame: Uint8Array): void;
  stop(): void;
}

/** An interface that clients are on, as the kernel has it now. */
export interface ClientLink {
  readonly network: string;
  readonly ifindex: number;
  readonly mac: Mac;
  readonly mtu: number;
  readonly up: boolean;
  /** Addresses on it, link-local ones too; not those that failed duplicate address detection. */
  readonly addresses: readonly Prefix[];
  /** The bridge below, of which this is the interface of a VLAN, where it does not know this MAC. */
  readonly unknownTo?: BridgeVlan;
  /** It can have no IPv6 address, since the kernel has no IPv6. */
  readonly withoutIp6?: true;
}

export interface BridgeVlan {
  readonly bridge: string;
  readonly ifindex: number;
  readonly vlan: number;
}

/** A change of a client interface, or of a kernel setting (sysctl) that bears on it. */
export type LinkChange =
  | { readonly op: 'mac'; readonly ifindex: number; readonly mac: Mac }
  /** The bridge below takes in frames to an interface's MAC, or does no more. */
  | { readonly op: 'addMac' | 'removeMac'; readonly ifindex: number; readonly to: BridgeVlan; readonly mac: Mac }
  | { readonly op: 'addAddress'; readonly ifindex: number; readonly address: Ip; readonly length: number }
  | { readonly op: 'removeAddress'; readonly ifindex: number; readonly address: Ip; readonly length: number }
  | { readonly op: 'setting'; readonly name: string; readonly value: string };

/** The client interfaces themselves: what is checked about them and, with `option setup`, set. */
export interface LinkControl {
  /** Settings by name, `net/ipv4/conf/br-client/forwarding`; absent where the kernel has none of that name. */
  settings(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Applies in order; the n-th result is the n-th change's error, if any. */
  apply(changes: readonly LinkChange[]): Promise<(Error | undefined)[]>;
  /**
   * From now on no ICMP redirect leaves by these interfaces, and any may by others, until {@link stop} or the end of the
   * process. Rejects where the kernel has no packet filter.
   */
  blockRedirects(networks: readonly string[]): Promise<void>;
  stop(): void;
}

/** UDP port 67 on the gateway's addresses, which packet sockets serve: held, or the kernel would refuse the datagrams. */
export interface DhcpPort {
  /** Holds the port on these addresses, and on no others. */
  hold(addresses: readonly Ip[]): void;
  stop(): void;
}

/** A next hop as the kernel resolves a node's address: what a nexthop object holds. */
export interface Path {
  readonly ifindex: number;
  /** Absent where the node is on the link itself. */
  readonly gateway: Ip | undefined;
}

/** A path, and whether it is only the default route's: that one leads to any address, and says nothing of this one. */
export interface ResolvedPath extends Path {
  readonly byDefault?: boolean;
}

/** A route of ours, in the daemon's own table. */
export interface HostRoute {
  readonly destination: Prefix;
  readonly protocol: number;
  /** A local client's: straight out of the client interface. A remote one's: through a nexthop object. */
  readonly via: { readonly ifindex: number } | { readonly nexthop: number } | { readonly path: Path } | 'unreachable';
}

export interface NexthopObject {
  readonly id: number;
  readonly family: Family;
  readonly path: Path;
}

/** A neighbour entry of ours: no packet to a local client waits for ARP or ND. */
export interface NeighbourEntry {
  readonly ifindex: number;
  readonly address: Ip;
  readonly mac: Mac;
}

export type KernelChange =
  | { readonly op: 'set'; readonly route: HostRoute }
  | { readonly op: 'delete'; readonly route: HostRoute }
  | { readonly op: 'set'; readonly nexthop: NexthopObject }
  | { readonly op: 'delete'; readonly nexthop: NexthopObject }
  | { readonly op: 'set'; readonly neighbour: NeighbourEntry }
  | { readonly op: 'delete'; readonly neighbour: NeighbourEntry };

/** What an earlier run left, or what is there now: only what is ours. */
export interface KernelState {
  readonly routes: readonly HostRoute[];
  readonly nexthops: readonly NexthopObject[];
  readonly neighbours: readonly NeighbourEntry[];
}

export type KernelEvent =
  /** A route that is not ours came, changed or went: the paths to addresses in `destination` may have changed. */
  | { readonly kind: 'routes'; readonly destination: Prefix }
  /** Interfaces or addresses changed. */
  | { readonly kind: 'links' }
  /** Another program changed what is ours, or events were lost: {@link Kernel.state} is to be asked again. */
  | { readonly kind: 'lost' };

/** The kernel's forwarding state. All methods are asynchronous system calls; none blocks. */
export interface Kernel {
  /** Whether the kernel has nexthop objects (Linux 5.3). */
  readonly nexthopObjects: boolean;
  /** It has no IPv6: it takes neither routes nor neighbour entries of it. */
  readonly withoutIp6?: boolean;
  /** The rule that looks our table up ahead of main, for both families. Idempotent. */
  installRules(): Promise<void>;
  removeRules(): Promise<void>;
  state(): Promise<KernelState>;
  /** Applies in order, in as few system calls as can be; the n-th result is the n-th change's error, if any. */
  apply(changes: readonly KernelChange[]): Promise<(Error | undefined)[]>;
  /** Where the kernel, without our own table, sends packets for `address`; undefined where it does not know. */
  resolve(address: Ip): Promise<ResolvedPath | undefined>;
  /** The client has gone from this router: its bridge forwarding and learnt neighbour entries go too. */
  purge(mac: Mac, network: string): void;
  /** The client is behind another port of the same interface: what the bridge has learnt of it goes. */
  forgetPort(mac: Mac, network: string): void;
  /** Those of the named interfaces that exist. */
  clientLinks(networks: readonly string[]): Promise<ClientLink[]>;
  /** This node's own addresses of global scope, best first, without those on `networks`, the clients' interfaces. */
  nodeAddresses(networks: readonly string[]): Promise<Ip[]>;
  /** The MAC addresses that this router's hardware was made with; none where all interfaces are virtual. */
  permanentMacs(): Promise<Mac[]>;
  start(listener: (event: KernelEvent) => void): void;
  stop(): void;
}

/** Packets for addresses in clients' prefixes to which there is no route: nobody is known to have them. */
export interface Strays {
  /**
   * From now on such packets are caught, and `listener` is told their destination; those to `unreachable` prefixes are
   * refused. May be called again, with other prefixes. Rejects where the kernel cannot do it.
   */
  start(prefixes: { readonly caught: readonly Prefix[]; readonly unreachable: readonly Prefix[] }, listener: (address: Ip) => void): Promise<void>;
  /** Has the kernel answer packets to an address as unreachable instead of catching them, or catch them again. */
  refuse(address: Ip, refused: boolean): void;
  stop(): Promise<void>;
}

/** A byte stream to a peer, authenticated already where a key is set. */
export interface PeerStream {
  /** For the log: `[2001:db8::1]:4444`. */
  readonly remote: string;
  /** Queues bytes; false where the peer does not keep up and `drained` will follow. */
  write(bytes: Uint8Array): boolean;
  /** Bytes queued and not yet taken by the kernel. */
  readonly queued: number;
  /** Whether the other end is known to have received all that was written. */
  readonly acknowledged: boolean;
  /**
   * Retransmission timeouts (RFC 6298) in a row since the other end last acknowledged anything new: 0 while it does,
   * however slowly. Undefined: not known.
   */
  readonly timeouts: number | undefined;
  /** Ends the stream after what is queued. */
  end(): void;
  /** Ends it now. */
  destroy(): void;
}

export interface PeerStreamEvents {
  data(bytes: Uint8Array): void;
  drained(): void;
  /** Exactly once. `reason` is a line for the log, undefined after an orderly end. */
  closed(reason: string | undefined): void;
}

/** Host and port, as a user or a node record gives them. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Streams between nodes: TCP, inside TLS with a pre-shared key where one is set. */
export interface Mesh {
  /** `admit`: whether to talk to an address that connects, asked before anything else is done; default: to all. */
  listen(
    accept: (stream: PeerStream) => PeerStreamEvents,
    port: number,
    admit?: (address: string) => boolean,
  ): Promise<void>;
  /** `opened` is called with the stream once it is up and gives its events; `failed` instead where it never is. */
  dial(endpoint: Endpoint, opened: (stream: PeerStream) => PeerStreamEvents, failed: (reason: string) => void): void;
  stop(): void;
}

/** Which interfaces to look for other routers on. */
export interface InterfaceChoice {
  /** Those alone; undefined: all that have a link-local address. */
  readonly only: readonly string[] | undefined;
  readonly except: readonly string[];
}

export interface DiscoveryEvents {
  /** What another router says, and the link-local address that it came from, with its zone. */
  heard(content: Uint8Array, address: string): void;
  /** There is one more interface to send to. */
  attached(): void;
}

/** Short messages to all routers on the links of this one: only those that hold the key can read or write them. */
export interface Discovery {
  start(port: number, events: DiscoveryEvents): void;
  /** The interfaces to send to and to hear. To be called again when interfaces have come or gone, and where it throws. */
  attach(choice: InterfaceChoice): void;
  /** Sends to all that are attached; what cannot be sent is dropped. */
  send(content: Uint8Array): void;
  /** Since the start: what was sent and received, and what was ignored, by cause. */
  readonly counters: { readonly [name: `hello_${string}`]: number };
  stop(): void;
}

/** Small files that survive a restart of the daemon. */
export interface Storage {
  load(name: string): Promise<Uint8Array | undefined>;
  /** Atomic: after a crash the old content or the new one is there. */
  save(name: string, content: Uint8Array): Promise<void>;
  /** Takes a file that cannot be used out of the way; resolves to where it is kept now, for a person to look at. */
  setAside(name: string): Promise<string>;
}

/** Arguments of a bus method by name; absent ones are undefined. */
export type BusArguments = { readonly [name: string]: unknown };

export interface BusMethod {
  /** Argument names and their types, as `ubus -v list` shows them. */
  readonly args: { readonly [name: string]: 'string' | 'integer' | 'boolean' };
  /** The answer; what it throws is answered as "invalid argument" (BadInput) or as an unknown error. */
  call(args: BusArguments): object | Promise<object>;
}

/** The object by which others ask and follow the daemon: ubus. */
export interface Bus {
  publish(methods: { readonly [name: string]: BusMethod }): void;
  /** Tells all who have subscribed; `data` is made only where somebody has. */
  notify(type: string, data: () => object): void;
  stop(): void;
}
