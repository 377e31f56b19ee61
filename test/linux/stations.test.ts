import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import { Broker, UbusClient } from 'ubus-ts';
import { HostapdStations } from '../../src/linux/stations.js';
import { parseMac } from '../../src/net/mac.js';
import type { StationEvent } from '../../src/ports.js';
import { until } from './namespace.js';
import { TestLog } from '../support.js';

const MAC = parseMac('02:00:00:00:00:0a');
const address = MAC;

/** A hostapd with one access point, as another program on a bus; `clients` is what it lists. */
async function makeHostapd(t: Test) {
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
  const stations = new HostapdStations(ubus, new TestLog(), () => state.changes++);
  t.teardown(async () => {
    stations.stop();
    ubus.close();
    hostapd.close();
    await broker.close();
    rmSync(directory, { recursive: true });
  });
  return { state, object, stations };
}

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
