import t from 'tap';
import { NetlinkError } from '../../src/linux/netlink/error.js';
import type { StationEvent as WirelessEvent, Station, WirelessInterface } from '../../src/linux/netlink/nl80211.js';
import type { Wireless, WirelessHandlers } from '../../src/linux/wifi-stations.js';
import { WifiStations } from '../../src/linux/wifi-stations.js';
import { parseMac } from '../../src/net/mac.js';
import type { StationEvent } from '../../src/ports.js';
import { TestLog } from '../support.js';

const ENODEV = 19;
const EOPNOTSUPP = 95;

const A = parseMac('02:00:00:00:00:0a');
const B = parseMac('02:00:00:00:00:0b');

const wireless = (ifindex: number, name: string, ssid?: string): WirelessInterface => ({
  ifindex,
  name,
  radio: 0,
  accessPoint: true,
  vlan: ssid === undefined,
  mac: parseMac('02:00:00:00:00:01'),
  ...(ssid !== undefined && { ssid: new TextEncoder().encode(ssid) }),
});

/** The kernel's Wi-Fi as far as these tests need it, and time that passes when it is told to. */
class Air {
  readonly events: StationEvent[] = [];
  readonly removed: string[] = [];
  readonly stationsOf = new Map<number, Map<string, Station>>();
  interfaces = [wireless(7, 'wlan0', 'mesh')];
  /** Bridges by port. */
  readonly bridges = new Map([['wlan0', 'br-client'], ['wlan1', 'br-client']]);
  readonly placed: string[] = [];
  /** Interfaces by which moves are heard. */
  readonly #heard = new Map<number, (mac: Station['mac']) => void>();
  readonly log = new TestLog();
  handlers: WirelessHandlers | undefined;
  exists = true;
  /** Whether the driver can remove a station. */
  removes = true;
  /** So many of the next requests fail. */
  failing = 0;
  opened = 0;
  /** Interfaces that vanish while all is read. */
  readonly gone = new Set<number>();
  /** How often for one station. */
  asked = 0;
  #tasks: { at: number; task: () => void }[] = [];
  #now = 0;
  readonly stations: WifiStations;

  /** `unprepared`: so many times what has to be known before cannot be read. */
  constructor(private unprepared = 0) {
    this.stations = new WifiStations({
      open: async (handlers) => {
        this.opened++;
        this.handlers = handlers;
        return this.exists ? this.#wireless() : undefined;
      },
      prepare: async () => {
        if (this.unprepared > 0 && this.unprepared--) throw new Error('no buffer space (ENOBUFS)');
      },
      listen: (ifindex, moved) => {
        this.#heard.set(ifindex, moved);
        return () => this.#heard.delete(ifindex);
      },
      log: this.log,
      after: (ms, task) => this.#tasks.push({ at: this.#now + ms, task }),
      networkOf: (device) => this.bridges.get(device) ?? device,
      placed: (mac, via, network) => this.placed.push(`${mac} ${via} ${network}`),
    });
    this.stations.start((event) => this.events.push(event));
  }

  #wireless(): Wireless {
    return {
      interfaces: async () => {
        this.#fail();
        return this.interfaces;
      },
      stations: async (ifindex) => {
        if (this.gone.has(ifindex)) throw new NetlinkError(ENODEV);
        return [...(this.stationsOf.get(ifindex)?.values() ?? [])];
      },
      station: async (ifindex, mac) => {
        this.asked++;
        this.#fail();
        // As mac80211 does: by any interface of the access point.
        const found = [ifindex, ...this.interfaces.map((one) => one.ifindex)].map((index) => this.stationsOf.get(index)?.get(mac));
        return found.find((station) => station !== undefined);
      },
      removeStation: async (ifindex, mac, reason) => {
        if (!this.removes) throw new NetlinkError(EOPNOTSUPP);
        this.removed.push(`${ifindex} ${mac} ${reason}`);
      },
      close: () => undefined,
    };
  }

  #fail(): void {
    if (this.failing > 0 && this.failing--) throw new Error('no buffer space (ENOBUFS)');
  }

  set(station: Station): void {
    const all = this.stationsOf.get(station.ifindex) ?? new Map<string, Station>();
    this.stationsOf.set(station.ifindex, all.set(station.mac, station));
  }

  /** NEW_STATION or DEL_STATION. */
  tell(event: WirelessEvent): void {
    if (event.removed) this.stationsOf.get(event.station.ifindex)?.delete(event.station.mac);
    else this.set(event.station);
    this.handlers!.onStation(event);
  }

  /** mac80211 tells the bridges that a station has come by that interface. */
  moved(mac: Station['mac'], ifindex = 7): void {
    this.#heard.get(ifindex)?.(mac);
  }

  /** Interfaces that are listened to. */
  get heard(): number[] {
    return [...this.#heard.keys()];
  }

  /** Runs what is due in so many milliseconds, without anything in between. */
  runDue(ms: number): void {
    this.#now += ms;
    const due = this.#tasks.filter(({ at }) => at <= this.#now);
    this.#tasks = this.#tasks.filter(({ at }) => at > this.#now);
    for (const { task } of due) task();
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#tasks.sort((a, b) => a.at - b.at);
      const next = this.#tasks[0];
      if (next === undefined || next.at > end) break;
      this.#tasks.shift();
      this.#now = next.at;
      next.task();
    }
    this.#now = end;
  }

  /** hostapd binds a station to a VLAN: to another interface of the access point. */
  bind(mac: Station['mac'], from: number, to: number): void {
    const station = this.stationsOf.get(from)!.get(mac)!;
    this.stationsOf.get(from)!.delete(mac);
    this.set({ ...station, ifindex: to });
  }

  /** Where stations were told to be, or which access point has lost them. */
  takePlaces(): string[] {
    return this.events.splice(0).map((event) => `${event.kind} ${event.mac} ${'network' in event ? event.network : event.via}`);
  }

  take(): string[] {
    return this.events.splice(0).map((event) => (event.kind === 'neighbour' ? event.kind : `${event.kind} ${event.mac} ${event.via}`));
  }
}

const at = (ifindex: number, mac: Station['mac'], authorized?: boolean): Station => ({
  ifindex,
  mac,
  ...(authorized === undefined ? {} : { authorized }),
});

t.test('a new station counts when its handshake is done, not before (sroamd defects 40 and 41)', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  await air.pass(150);
  t.same(air.take(), []);
  air.set(at(7, A, true));
  await air.pass(200);
  t.match(air.events, [{ kind: 'authorized', mac: A, network: 'br-client', via: 'wlan0', ssid: 'mesh', source: 'nl80211' }]);
  air.take();
  air.tell({ removed: true, station: at(7, A) });
  t.same(air.take(), [`left ${A} wlan0`]);
});

t.test('a station that never finishes its handshake, and one whose driver does not say', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  air.tell({ removed: false, station: at(7, B) });
  await air.pass(60_000);
  t.same(air.take(), []);
  air.tell({ removed: true, station: at(7, A) });
  await air.pass(60_000);
  t.same(air.take(), [], 'who was not told as here is not told as gone');
});

t.test('a question that the kernel does not answer is asked again', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: { ifindex: 7, mac: A, authorized: false } });
  air.set({ ifindex: 7, mac: A, authorized: true });
  air.failing = 2;
  await air.pass(100);
  t.strictSame(air.take(), ['authorized 02:00:00:00:00:0a wlan0']);
  air.tell({ removed: false, station: at(7, B, false) });
  air.interfaces = [];
  air.stations.refresh();
  await air.pass(10);
  air.failing = Infinity;
  await air.pass(60_000);
  const { asked } = air;
  await air.pass(60_000);
  t.equal(air.asked, asked, 'but not where the access point is gone');
});

t.test('who is there, which the kernel does not say at the start, is asked again', async (t) => {
  for (const [unprepared, failing] of [[2, 0], [0, 2]] as const) {
    const air = new Air(unprepared);
    air.set({ ifindex: 7, mac: A, authorized: true });
    air.failing = failing;
    await air.pass(0);
    t.strictSame(air.take(), []);
    await air.pass(5000);
    t.strictSame(air.take(), ['authorized 02:00:00:00:00:0a wlan0']);
    t.match(air.log.lines, [/^warn cannot read the Wi-Fi stations: no buffer space/], 'said once');
    t.equal(air.log.lines.length, 1);
  }
});

t.test('told to the bridges: asked for at once the first time, then believed', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.moved(A);
  air.tell({ removed: false, station: at(7, A, false) });
  air.moved(B);
  t.same(air.take(), [], 'who has not authenticated has not come');
  air.set(at(7, A, true));
  air.moved(A);
  await air.pass(0);
  t.same(air.take(), [`authorized ${A} wlan0`], 'without waiting');
  air.moved(A);
  await air.pass(60_000);
  t.same(air.take(), [], 'once');
  const { asked } = air;
  air.tell({ removed: false, station: at(7, B, false) });
  air.moved(B);
  t.same(air.take(), [`authorized ${B} wlan0`]);
  t.equal(air.asked, asked, 'without asking');
});

t.test('a kernel that tells the bridges before a station is authorised is never believed (CVE-2019-5108)', async (t) => {
  const air = new Air();
  await air.pass(0);
  const joins = async (mac: Station['mac'], authorized: boolean) => {
    air.tell({ removed: false, station: at(7, mac, false) });
    air.set(at(7, mac, authorized));
    air.moved(mac);
    await air.pass(0);
  };
  await joins(A, false);
  t.same(air.take(), []);
  air.tell({ removed: true, station: at(7, A) });
  await joins(B, true);
  t.same(air.take(), [`authorized ${B} wlan0`], 'asked for, it is');
  await joins(A, false);
  t.same(air.take(), []);
});

t.test('a question without an answer says nothing of when the bridges are told', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  air.failing = 1;
  air.moved(A);
  await air.pass(0);
  air.set(at(7, A, true));
  air.moved(A);
  await air.pass(0);
  t.same(air.take(), [`authorized ${A} wlan0`]);
  air.tell({ removed: false, station: at(7, B, false) });
  air.moved(B);
  t.same(air.take(), [`authorized ${B} wlan0`]);
});

t.test('all interfaces of access points are listened to, and no others', async (t) => {
  const air = await withVlans();
  t.same(air.heard, [11, 10, 7]);
  air.interfaces = [{ ...wireless(3, 'phy0-sta0'), accessPoint: false, vlan: false }, wireless(9, 'wlan0', 'mesh')];
  air.stations.refresh();
  await air.pass(10);
  t.same(air.heard, [9]);
  air.stations.stop();
  t.same(air.heard, []);
});

t.test('where the bridges were told once, a lost frame is made up for', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  air.set(at(7, A, true));
  air.moved(A);
  await air.pass(0);
  air.take();
  const asked = air.asked;
  air.tell({ removed: false, station: at(7, B, false) });
  await air.pass(90);
  t.equal(air.asked, asked, 'it is not asked for all the time');
  air.set(at(7, B, true));
  await air.pass(20);
  t.same(air.take(), [`authorized ${B} wlan0`]);
});

t.test('told and asked for at the same time: once', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  air.set(at(7, A, true));
  air.runDue(5);
  air.moved(A);
  air.moved(A);
  await air.pass(1000);
  t.same(air.take(), [`authorized ${A} wlan0`]);
});

t.test('an answer from before it left does not bring a station back', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  air.set(at(7, A, true));
  air.runDue(5);
  air.tell({ removed: true, station: at(7, A) });
  await air.pass(60_000);
  t.same(air.take(), []);
});

t.test('one that has tried for long, left and comes anew is waited for no longer than any other', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  await air.pass(60_000);
  air.tell({ removed: true, station: at(7, A) });
  air.tell({ removed: false, station: at(7, A, false) });
  await air.pass(20);
  air.set(at(7, A, true));
  await air.pass(20);
  t.same(air.take(), [`authorized ${A} wlan0`]);
});

t.test('who is there at the start; and after lost events what has changed, once', async (t) => {
  const air = new Air();
  air.set(at(7, A, true));
  await air.pass(0);
  t.same(air.take(), [`authorized ${A} wlan0`]);
  air.stationsOf.get(7)!.delete(A);
  air.set(at(7, B, true));
  air.handlers!.onOverrun('ENOBUFS');
  await air.pass(10);
  t.same(air.take(), [`authorized ${B} wlan0`, `left ${A} wlan0`]);
  air.stations.refresh();
  await air.pass(10);
  t.same(air.take(), []);
});

t.test('interfaces come and go (wifi reload, sroamd defect 42)', async (t) => {
  const air = new Air();
  air.set(at(7, A, true));
  await air.pass(0);
  air.take();
  air.interfaces = [{ ...air.interfaces[0]!, ifindex: 9 }];
  air.stationsOf.clear();
  air.stations.refresh();
  await air.pass(10);
  t.same(air.take(), [`left ${A} wlan0`]);
  air.interfaces.push({ ...wireless(12, 'wlan1', ''), radio: 1 });
  air.tell({ removed: false, station: at(12, A, true) });
  await air.pass(50);
  t.same(air.take(), [`authorized ${A} wlan1`], 'of an interface not heard of before');
  t.ok(air.stations.hasAccessPoint('br-client'));
  t.notOk(air.stations.hasAccessPoint('br-lan'));
});

t.test('interfaces vanish one after the other while all is read, as when hostapd stops', async (t) => {
  const air = new Air();
  air.set(at(7, A, true));
  await air.pass(0);
  air.take();
  air.gone.add(7);
  air.handlers!.onInterface();
  await air.pass(0);
  t.same(air.take(), [`left ${A} wlan0`]);
  t.same(air.log.lines, []);
});

t.test('a kernel that gets its Wi-Fi later', async (t) => {
  const air = new Air();
  air.exists = false;
  await air.pass(0);
  air.set(at(7, A, true));
  air.exists = true;
  await air.pass(10);
  t.same(air.take(), []);
  air.stations.refresh();
  await air.pass(10);
  t.same(air.take(), [`authorized ${A} wlan0`]);
});

t.test('a station that is removed is not taken for new while the kernel still lists it', async (t) => {
  const air = new Air();
  air.set(at(7, A, true));
  await air.pass(0);
  air.take();
  air.stations.disassociate(A, 'wlan0');
  t.same(air.removed, [`7 ${A} 3`]);
  air.stations.refresh();
  await air.pass(10);
  t.same(air.take(), []);
  air.tell({ removed: true, station: at(7, A) });
  t.same(air.take(), [`left ${A} wlan0`]);
  air.tell({ removed: false, station: at(7, A, true) });
  await air.pass(10);
  t.same(air.take(), [`authorized ${A} wlan0`], 'back again');
});

t.test('a station that cannot be removed is followed as before', async (t) => {
  const air = new Air();
  air.set(at(7, A, true));
  await air.pass(0);
  air.take();
  air.removes = false;
  air.stations.disassociate(A, 'wlan0');
  await air.pass(10);
  t.match(air.log.lines, [/^debug wlan0: 02:00:00:00:00:0a cannot be removed: .*EOPNOTSUPP/]);
  air.bridges.set('wlan0', 'br-other');
  air.stations.refresh();
  await air.pass(10);
  t.same(air.takePlaces(), [`authorized ${A} br-other`]);
});

/** An access point whose VLAN 1 is on the bridge of clients, and whose VLAN 2 and all others are elsewhere. */
async function withVlans(): Promise<Air> {
  const air = new Air();
  air.interfaces.push(wireless(11, 'wlan0.1'), wireless(10, 'wlan0.2'));
  air.bridges.set('wlan0', 'br-other').set('wlan0.1', 'br-client').set('wlan0.2', 'br-other');
  await air.pass(0);
  return air;
}

/** What mac80211 tells: the access point's own interface, whatever VLAN the station is put on before it is authorised. */
function joins(air: Air, mac: Station['mac'], ifindex: number): void {
  air.tell({ removed: false, station: at(7, mac) });
  air.bind(mac, 7, ifindex);
  air.set(at(ifindex, mac, true));
  air.moved(mac, ifindex);
}

t.test('a station on a VLAN is where the interface of its VLAN is, and told of once', async (t) => {
  const air = await withVlans();
  joins(air, A, 11);
  joins(air, B, 10);
  await air.pass(60_000);
  t.same(air.takePlaces(), [`authorized ${A} br-client`, `authorized ${B} br-other`]);
  t.same(air.placed, [`${A} wlan0 br-client`, `${B} wlan0 br-other`]);
  air.stations.refresh();
  await air.pass(60_000);
  t.same(air.takePlaces(), []);
  t.equal(await air.stations.placeOf(A, 'wlan0'), 'br-client');
  t.equal(await air.stations.placeOf(parseMac('02:00:00:00:00:0c'), 'wlan0'), undefined);
  t.ok(air.stations.hasAccessPoint('br-client'));
  air.stations.disassociate(A, 'wlan0');
  t.same(air.removed, [`7 ${A} 3`]);
  // As mac80211 tells it.
  air.tell({ removed: true, station: at(11, A) });
  t.same(air.takePlaces(), [`left ${A} wlan0`]);
});

t.test('who is on a VLAN at the start', async (t) => {
  const air = new Air();
  air.interfaces.push(wireless(11, 'wlan0.1'));
  air.bridges.set('wlan0', 'br-other').set('wlan0.1', 'br-client');
  air.set(at(11, A, true));
  const early = air.stations.placeOf(A, 'wlan0');
  await air.pass(0);
  t.match(air.events, [{ kind: 'authorized', mac: A, network: 'br-client', via: 'wlan0', ssid: 'mesh' }]);
  t.equal(await early, 'br-client', 'asked before the interfaces are known');
});

t.test('a driver that lists all stations of the access point in each of its interfaces', async (t) => {
  const air = await withVlans();
  for (const ifindex of [7, 11]) air.set(at(ifindex, A, true));
  air.stations.refresh();
  await air.pass(10);
  t.same(air.takePlaces(), [`authorized ${A} br-client`]);
});

t.test('a station that is moved to another VLAN is followed', async (t) => {
  const air = await withVlans();
  joins(air, A, 11);
  await air.pass(10);
  air.takePlaces();
  air.bind(A, 11, 10);
  air.moved(A, 10);
  air.moved(A, 10);
  await air.pass(100);
  t.same(air.takePlaces(), [`authorized ${A} br-other`]);
  air.moved(A, 10);
  await air.pass(100);
  t.same(air.takePlaces(), [], 'not moved: it is not claimed once more');
  air.tell({ removed: true, station: at(10, A) });
  t.same(air.takePlaces(), [`left ${A} wlan0`]);
});

t.test('a handshake that begins anew on the interface of the access point moves nobody there', async (t) => {
  const air = await withVlans();
  air.bridges.set('wlan0', 'br-client');
  joins(air, A, 10);
  await air.pass(10);
  t.same(air.takePlaces(), [`authorized ${A} br-other`]);
  air.stationsOf.get(10)!.delete(A);
  air.tell({ removed: false, station: at(7, A, false) });
  air.stations.refresh();
  await air.pass(500);
  t.same(air.takePlaces(), []);
  air.bind(A, 7, 10);
  air.set(at(10, A, true));
  air.moved(A, 10);
  await air.pass(10);
  t.same(air.takePlaces(), [`authorized ${A} br-other`]);
});

t.test('an interface that is made for a station is known before the station counts', async (t) => {
  const air = new Air();
  air.bridges.set('wlan0', 'br-client').set('wlan0.sta1', 'br-wds');
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A) });
  air.interfaces.push(wireless(13, 'wlan0.sta1'));
  air.handlers!.onInterface();
  air.bind(A, 7, 13);
  air.set(at(13, A, true));
  air.moved(A, 13);
  await air.pass(1000);
  t.same(air.takePlaces(), [`authorized ${A} br-wds`]);
  // hostapd puts it back before it takes the interface away.
  air.bind(A, 13, 7);
  air.tell({ removed: true, station: at(7, A) });
  t.same(air.takePlaces(), [`left ${A} wlan0`]);
});

t.test('the last station of a VLAN leaves, and with it the interface', async (t) => {
  const air = await withVlans();
  joins(air, A, 11);
  await air.pass(10);
  air.takePlaces();
  air.interfaces = air.interfaces.filter(({ ifindex }) => ifindex !== 11);
  air.bridges.delete('wlan0.1');
  air.stations.refresh();
  air.tell({ removed: true, station: at(11, A) });
  await air.pass(10);
  t.same(air.takePlaces(), [`left ${A} wlan0`]);
});

t.test('the interface of a VLAN comes to a bridge late, or goes to another', async (t) => {
  const air = await withVlans();
  air.bridges.delete('wlan0.1');
  joins(air, A, 11);
  await air.pass(10);
  t.same(air.takePlaces(), [`authorized ${A} wlan0.1`]);
  air.bridges.set('wlan0.1', 'br-client');
  air.stations.refresh();
  await air.pass(10);
  t.same(air.takePlaces(), [`authorized ${A} br-client`]);
});
