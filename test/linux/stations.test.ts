import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Broker, UbusClient } from 'ubus-ts';
import { HostapdStations } from '../../src/linux/stations.js';
import { parseMac } from '../../src/net/mac.js';
import type { StationEvent } from '../../src/ports.js';
import { TestLog } from '../routes/helpers.js';
import { until } from './namespace.js';

const MAC = parseMac('02:00:00:00:00:0a');
const address = MAC;

t.test('a hostapd from before sta-authorized: asked after an association, and believed when the handshake is done', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'roaming-hostapd-'));
  const path = join(directory, 'ubus.sock');
  const broker = new Broker({ path });
  await broker.listen();
  const [hostapd, ubus] = [new UbusClient({ path }), new UbusClient({ path })];
  await Promise.all([hostapd.connect(), ubus.connect()]);
  let authorized = false;
  let asked = 0;
  const object = await hostapd.addObject('hostapd.wlan0', {
    get_status: { handler: () => ({ ssid: 'mesh' }) },
    get_clients: {
      handler: () => {
        asked++;
        return { clients: { [MAC]: { auth: true, assoc: true, authorized } } };
      },
    },
  });
  const events: StationEvent[] = [];
  let changes = 0;
  const stations = new HostapdStations(ubus, new TestLog(), () => changes++);
  t.teardown(async () => {
    stations.stop();
    ubus.close();
    hostapd.close();
    await broker.close();
    rmSync(directory, { recursive: true });
  });
  stations.start((event) => events.push(event));
  await until(t, 'hostapd is there', () => asked === 1 && stations.knows('wlan0'));
  t.equal(changes, 1);
  t.same(events, [], 'associated only');
  object.notify('assoc', { address });
  await until(t, 'asked again', () => asked === 2);
  t.same(events, [], 'the handshake is not done: who merely associates with a MAC moves nobody');
  authorized = true;
  await until(t, 'it is told', () => events.length > 0);
  t.match(events, [{ kind: 'authorized', mac: MAC, via: 'wlan0', ssid: 'mesh', source: 'hostapd' }]);
  object.notify('disassoc', { address });
  await until(t, 'it has left', () => events.length === 2);
  t.match(events[1], { kind: 'left', mac: MAC, via: 'wlan0', source: 'hostapd' });
});
