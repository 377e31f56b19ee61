/**
 * What stands around the daemon on a router of the lab, as a program of its own: the ubus broker, and an access point
 * that says on it what OpenWrt's hostapd would say. Told by its arguments which stations are associated at the start, and
 * by messages from its parent which come and go.
 */
import { Broker, UbusClient } from 'ubus-ts';

/** From the lab: a station's handshake is done, or its access point noticed that it left. */
export type Command = { authorize: string; radio?: Radio } | { leave: string; radio?: Radio };
/** `wlan1` is another band of the same router. */
export type Radio = 'wlan0' | 'wlan1';
/** To the lab. */
export type Report = { ready: true } | { removed: string };

const [socket, bssid, ...stations] = process.argv.slice(2) as [string, string, ...string[]];

async function main(): Promise<void> {
  await new Broker({ path: socket }).listen();
  const ubus = new UbusClient({ path: socket });
  await ubus.connect();
  const radios = { wlan0: await addRadio(ubus, 'wlan0', stations), wlan1: await addRadio(ubus, 'wlan1', []) };
  process.on('message', (command: Command) => radios[command.radio ?? 'wlan0'](command));
  process.on('disconnect', () => process.exit(0));
  report({ ready: true });
}

/** Returns what takes the commands for this radio. */
async function addRadio(ubus: UbusClient, ifname: Radio, stations: readonly string[]): Promise<(command: Command) => void> {
  const associated = new Set(stations);
  const accessPoint = await ubus.addObject(`hostapd.${ifname}`, {
    get_clients: { handler: () => ({ freq: 5180, clients: Object.fromEntries([...associated].map((m) => [m, stationInfo()])) }) },
    get_status: { handler: () => ({ status: 'ENABLED', bssid, ssid: 'mesh', freq: 5180, channel: 36 }) },
    del_client: {
      args: { addr: 'string', reason: 'int32', deauth: 'bool', ban_time: 'int32' },
      handler: ({ addr }) => {
        if (associated.delete(String(addr))) report({ removed: String(addr) });
        return {};
      },
    },
  });
  return (command) => {
    if ('authorize' in command) {
      associated.add(command.authorize);
      accessPoint.notify('sta-authorized', { address: command.authorize, ifname, 'auth-alg': 'open' });
    } else if (associated.delete(command.leave)) {
      accessPoint.notify('disassoc', { address: command.leave, ifname });
    }
  };
}

function stationInfo() {
  return { auth: true, assoc: true, authorized: true, signal: -50 };
}

function report(message: Report): void {
  process.send?.(message);
}

void main();
