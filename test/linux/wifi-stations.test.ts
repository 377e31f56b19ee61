import t from 'tap';
import type { StationEvent as WirelessEvent, Station } from '../../src/linux/netlink/nl80211.js';
import type { Wireless, WirelessHandlers } from '../../src/linux/wifi-stations.js';
import { WifiStations } from '../../src/linux/wifi-stations.js';
import { parseMac } from '../../src/net/mac.js';
import type { StationEvent } from '../../src/ports.js';
import { TestLog } from '../support.js';

const A = parseMac('02:00:00:00:00:0a');
const B = parseMac('02:00:00:00:00:0b');

/** The kernel's Wi-Fi as far as these tests need it, and time that passes when it is told to. */
class Air {
  readonly events: StationEvent[] = [];
  readonly removed: string[] = [];
  readonly stationsOf = new Map<number, Map<string, Station>>();
  interfaces = [{ ifindex: 7, name: 'wlan0', accessPoint: true, ssid: new TextEncoder().encode('mesh') }];
  handlers: WirelessHandlers | undefined;
  exists = true;
  /** So many of the next requests fail. */
  failing = 0;
  opened = 0;
  /** How often for one station. */
  asked = 0;
  #tasks: { at: number; task: () => void }[] = [];
  #now = 0;
  readonly stations: WifiStations;

  constructor() {
    this.stations = new WifiStations({
      open: async (handlers) => {
        this.opened++;
        this.handlers = handlers;
        return this.exists ? this.#wireless() : undefined;
      },
      log: new TestLog(),
      after: (ms, task) => this.#tasks.push({ at: this.#now + ms, task }),
      networkOf: (device) => (device.startsWith('wlan') ? 'br-client' : device),
    });
    this.stations.start((event) => this.events.push(event));
  }

  #wireless(): Wireless {
    return {
      interfaces: async () => {
        this.#fail();
        return this.interfaces;
      },
      stations: async (ifindex) => [...(this.stationsOf.get(ifindex)?.values() ?? [])],
      station: async (ifindex, mac) => {
        this.asked++;
        this.#fail();
        return this.stationsOf.get(ifindex)?.get(mac);
      },
      removeStation: async (ifindex, mac, reason) => {
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
  const air = new Air();
  air.set({ ifindex: 7, mac: A, authorized: true });
  air.failing = 1;
  await air.pass(0);
  t.strictSame(air.take(), []);
  await air.pass(5000);
  t.strictSame(air.take(), ['authorized 02:00:00:00:00:0a wlan0']);
});

t.test('told to the bridges: asked for at once, and believed by the kernel alone', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.stations.moved(A);
  air.tell({ removed: false, station: at(7, A, false) });
  air.stations.moved(A);
  air.stations.moved(B);
  await air.pass(0);
  t.same(air.take(), [], 'a frame in its name alone does not do');
  air.set(at(7, A, true));
  air.stations.moved(A);
  await air.pass(0);
  t.same(air.take(), [`authorized ${A} wlan0`], 'without waiting');
  air.stations.moved(A);
  await air.pass(60_000);
  t.same(air.take(), [], 'once');
});

t.test('where the bridges were told once, a lost frame is made up for', async (t) => {
  const air = new Air();
  await air.pass(0);
  air.tell({ removed: false, station: at(7, A, false) });
  air.set(at(7, A, true));
  air.stations.moved(A);
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
  air.stations.moved(A);
  air.stations.moved(A);
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
  air.interfaces.push({ ifindex: 12, name: 'wlan1', accessPoint: true, ssid: new Uint8Array() });
  air.tell({ removed: false, station: at(12, A, true) });
  await air.pass(50);
  t.same(air.take(), [`authorized ${A} wlan1`], 'of an interface not heard of before');
  t.ok(air.stations.hasAccessPoint('br-client'));
  t.notOk(air.stations.hasAccessPoint('br-lan'));
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
