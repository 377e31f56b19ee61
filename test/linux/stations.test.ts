import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import { Broker, UbusClient } from 'ubus-ts';
import type { WatchHandlers } from 'ubus-ts';
import { HostapdStations } from '../../src/linux/stations.js';
import { parseMac } from '../../src/net/mac.js';
import type { StationEvent } from '../../src/ports.js';
import { until } from './namespace.js';
import { TestLog } from '../support.js';

const MAC = parseMac('02:00:00:00:00:0a');
const address = MAC;

/** A hostapd with one access point, as another program on a bus; `clients` is what it lists. */
async function makeHostapd(t: Test, placeOf?: (mac: string, device: string) => string | Promise<string | undefined>) {
  const directory = mkdtempSync(join(tmpdir(), 'roaming-hostapd-'));
  const path = join(directory, 'ubus.sock');
  const broker = new Broker({ path });
  await broker.listen();
  const [hostapd, ubus] = [new UbusClient({ path }), new UbusClient({ path })];
  await Promise.all([hostapd.connect(), ubus.connect()]);
  const state = { authorized: false, asked: 0, failing: 0, removed: '', changes: 0 };
  const object = await hostapd.addObject('hostapd.wlan0', {
    get_status: { handler: () => ({ ssid: 'mesh' }) },
    get_clients: {
      handler: () => {
        state.asked++;
        if (state.failing > 0 && state.failing--) throw new Error('busy');
        return { clients: { [MAC]: { auth: true, assoc: true, authorized: state.authorized } } };
      },
    },
    del_client: { handler: ({ addr }) => void (state.removed = String(addr)) },
  });
  const stations = new HostapdStations({ ubus, log: new TestLog(), changed: () => state.changes++, ...(placeOf && { placeOf }) });
  t.teardown(async () => {
    stations.stop();
    ubus.close();
    hostapd.close();
    await broker.close();
    rmSync(directory, { recursive: true });
  });
  return { state, object, stations };
}

/** A bus of which a test says in what order all arrives: answers and notifications that were read at once, too. */
class ScriptedBus {
  readonly events: StationEvent[] = [];
  readonly stations: HostapdStations;
  connected = true;
  handlers: WatchHandlers | undefined;
  /** Ends the request for the list that has waited longest. */
  readonly #lists: ((clients: object) => void)[] = [];
  readonly #object = {
    path: 'hostapd.wlan0',
    call: async (method: string) =>
      method === 'get_status' ? { ssid: 'mesh' } : { clients: await new Promise<object>((resolve) => this.#lists.push(resolve)) },
  };

  constructor() {
    const ubus = Object.assign(this, { watch: async (_: string, handlers: WatchHandlers) => void (this.handlers = handlers) });
    this.stations = new HostapdStations({ ubus: ubus as never, log: new TestLog() });
    this.stations.start((event) => this.events.push(event));
  }

  appear(): void {
    this.handlers!.appeared!(this.#object as never);
  }

  notify(type: string): void {
    this.handlers!.notified!(this.#object as never, type, { address }, {} as never);
  }

  vanish(): void {
    this.handlers!.gone!(this.#object as never);
  }

  /** The answer, and behind it in the same piece of the stream a notification. */
  async answer(authorized: boolean, behind?: string): Promise<void> {
    while (this.#lists.length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.#lists.shift()!({ [MAC]: { auth: true, assoc: true, authorized } });
    if (behind !== undefined) this.notify(behind);
    await new Promise((resolve) => setImmediate(resolve));
  }

  take(): string[] {
    return this.events.splice(0).map(({ kind }) => kind);
  }
}

t.test('a notification right behind the list counts, not the list', async (t) => {
  const bus = new ScriptedBus();
  bus.appear();
  await bus.answer(true, 'deauth');
  t.equal(bus.take().at(-1) ?? 'left', 'left', 'it has left');
  bus.appear();
  await bus.answer(false, 'sta-authorized');
  t.same(bus.take(), ['authorized'], 'it has come');
  bus.notify('assoc');
  await bus.answer(true, 'disassoc');
  t.equal(bus.take().at(-1), 'left', 'what is asked after an association, likewise');
  bus.stations.stop();
});

t.test('an access point that stops while a station of it associates anew has lost that too', async (t) => {
  const bus = new ScriptedBus();
  bus.appear();
  await bus.answer(true);
  t.same(bus.take(), ['authorized']);
  bus.notify('assoc');
  t.same(bus.take(), [], 'its old association stands until hostapd says otherwise');
  bus.vanish();
  t.same(bus.take(), ['left']);
  bus.appear();
  await bus.answer(true);
  bus.take();
  bus.notify('assoc');
  bus.connected = false;
  bus.vanish();
  bus.connected = true;
  bus.appear();
  await bus.answer(false);
  t.same(bus.take(), ['left'], 'nor has it come through while ubusd was away');
  bus.stations.stop();
});

t.test('who is there, which hostapd does not say at first, is asked again', async (t) => {
  const { state, stations } = await makeHostapd(t);
  const events: StationEvent[] = [];
  Object.assign(state, { failing: 1, authorized: true });
  stations.start((event) => events.push(event));
  await until(t, 'it is told', () => events.length > 0);
  t.match(events, [{ kind: 'authorized', mac: MAC }]);
});

t.test('a hostapd from before sta-authorized: asked after an association, and believed when the handshake is done', async (t) => {
  const { state, object, stations } = await makeHostapd(t);
  const events: StationEvent[] = [];
  stations.start((event) => events.push(event));
  await until(t, 'hostapd is there', () => state.asked === 1 && stations.knows('wlan0'));
  t.equal(state.changes, 1);
  t.same(events, [], 'associated only');
  object.notify('assoc', { address });
  await until(t, 'asked again', () => state.asked === 2);
  t.same(events, [], 'the handshake is not done: who merely associates with a MAC moves nobody');
  state.authorized = true;
  await until(t, 'it is told', () => events.length > 0);
  t.match(events, [{ kind: 'authorized', mac: MAC, via: 'wlan0', ssid: 'mesh', source: 'hostapd' }]);
  object.notify('disassoc', { address });
  await until(t, 'it has left', () => events.length === 2);
  t.match(events[1], { kind: 'left', mac: MAC, via: 'wlan0', source: 'hostapd' });
});

t.test('where hostapd is no source it has no subscriber: what usteer or dawn answer it stands', async (t) => {
  const { state, object, stations } = await makeHostapd(t);
  stations.start();
  await until(t, 'hostapd is there', () => stations.knows('wlan0'));
  t.same(await object.notifyWait('probe', { address }), [], 'nobody is asked');
  t.equal(state.asked, 0);
  stations.disassociate(MAC, 'wlan0');
  await until(t, 'it removes stations all the same', () => state.removed === MAC);
});

t.test('a station on a VLAN: told once it is known where it is', async (t) => {
  const found: ((network: string | undefined) => void)[] = [];
  const { state, object, stations } = await makeHostapd(t, () => new Promise((resolve) => found.push(resolve)));
  const events: StationEvent[] = [];
  stations.start((event) => events.push(event));
  await until(t, 'hostapd is there', () => state.asked === 1);
  object.notify('vlan_add', { ifname: 'wlan0-guests', bridge: '', vlan_id: 2 });
  // As OpenWrt's hostapd says it: on the object of the access point, with a number that the bridge does not follow from.
  object.notify('sta-authorized', { address, vlan: 2, ifname: 'wlan0', 'auth-alg': 'sae' });
  object.notify('sta-authorized', { address, vlan: 2, ifname: 'wlan0', 'auth-alg': 'sae' });
  await until(t, 'it is asked', () => found.length === 2);
  for (const resolve of found.splice(0)) resolve('br-vlan');
  await until(t, 'it is told', () => events.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.match(events.splice(0), [{ kind: 'authorized', mac: MAC, network: 'br-vlan', via: 'wlan0' }]);
  stations.placed(MAC, 'wlan0', 'br-vlan');
  t.same(events, [], 'known');
  stations.placed(parseMac('02:00:00:00:00:0b'), 'wlan0', 'br-other');
  t.same(events, [], 'of no account where hostapd has not told of it');
  stations.placed(MAC, 'wlan0', 'br-other');
  t.match(events.splice(0), [{ kind: 'authorized', mac: MAC, network: 'br-other', via: 'wlan0' }], 'moved');
  object.notify('disassoc', { address });
  await until(t, 'it has left', () => events.length > 0);
  t.match(events.splice(0), [{ kind: 'left', mac: MAC, via: 'wlan0' }]);
  object.notify('sta-authorized', { address, vlan: 2 });
  await until(t, 'it is asked', () => found.length === 1);
  object.notify('disassoc', { address });
  await until(t, 'it has left', () => events.length > 0);
  events.splice(0);
  for (const resolve of found.splice(0)) resolve('br-vlan');
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(events, [], 'it left meanwhile');
});

t.test('a station that hostapd has and the kernel does not list is asked for again', async (t) => {
  const answers = [async () => undefined, async () => Promise.reject(new Error('no answer'))];
  const { state, object, stations } = await makeHostapd(t, () => answers.shift()!());
  const events: StationEvent[] = [];
  stations.start((event) => events.push(event));
  await until(t, 'hostapd is there', () => state.asked === 1);
  state.authorized = true;
  object.notify('sta-authorized', { address, vlan: 2 });
  await until(t, 'asked again, and told', () => events.length > 0);
  t.match(events, [{ kind: 'authorized', network: 'wlan0' }], 'the interface itself where it cannot be known');
  t.equal(state.asked, 2);
});
