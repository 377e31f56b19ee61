import fc from 'fast-check';
import t from 'tap';
import type { NativeCallback, PacketAddon } from '../../../src/linux/addons.js';
import { getFamily, parseFamily, resolveFamily } from '../../../src/linux/netlink/generic.js';
import type { StationEvent } from '../../../src/linux/netlink/nl80211.js';
import {
  deleteStation,
  dumpInterfaces,
  dumpStations,
  getStation,
  Nl80211,
  parseInterface,
  parseStation,
  parseStationEvent,
} from '../../../src/linux/netlink/nl80211.js';
import { NETLINK_GENERIC, NetlinkSocket } from '../../../src/linux/netlink/socket.js';
import type { NetlinkMessage } from '../../../src/linux/netlink/wire.js';
import { MessageWriter, NLM_F_DUMP, parseMessages, stampMessage } from '../../../src/linux/netlink/wire.js';
import { BadInput, fromHex, ShortInput, toHex } from '../../../src/net/bytes.js';
import { parseMac } from '../../../src/net/mac.js';
import { addon } from '../namespace.js';

const MAC = parseMac('02:00:00:00:00:09');
const FAMILY = 0x1c;

const message = (hex: string): NetlinkMessage => ({ type: FAMILY, flags: 0, sequence: 0, payload: fromHex(hex) });

/** NL80211_CMD_NEW_STATION for a station with the given STA_FLAGS (mask, set), 3 s idle, at -61 dBm, there for 60 s. */
const newStation = (mask: string, set: string) =>
  '13 01 0000' + // command, version
  '0800 0300 07000000' + // NL80211_ATTR_IFINDEX
  '0a00 0600 020000000009 0000' + // NL80211_ATTR_MAC
  '0800 2e00 05000000' + // NL80211_ATTR_GENERATION
  '2800 1500' + // NL80211_ATTR_STA_INFO
  ' 0800 0100 b80b0000' + // NL80211_STA_INFO_INACTIVE_TIME
  ' 0500 0700 c3 000000' + // NL80211_STA_INFO_SIGNAL
  ' 0800 1000 3c000000' + // NL80211_STA_INFO_CONNECTED_TIME
  ` 0c00 1100 ${mask} ${set}`; // NL80211_STA_INFO_STA_FLAGS

const DEL_STATION = '14 01 0000 0800 0300 07000000 0a00 0600 020000000009 0000';

const INTERFACE =
  '07 01 0000' +
  '0800 0300 07000000' +
  '0a00 0400 776c616e3000 0000' + // NL80211_ATTR_IFNAME "wlan0"
  '0800 0100 00000000' + // NL80211_ATTR_WIPHY
  '0800 0500 03000000' + // NL80211_ATTR_IFTYPE: access point
  '0a00 0600 02000000aa01 0000' +
  '0800 3400 6d657368'; // NL80211_ATTR_SSID "mesh"

/** Recorded: hostapd with VLANs on mac80211_hwsim, Linux 6.1. A list has an access point and the interface of its VLAN 1. */
const AP0 =
  '0701000008000300020000000800040061703000080001000000000008000500030000000c00990001000000000000000a000600020000000001000008002e0014' +
  '0000000500530000000000080026006c0900000800220100000000080027000000000008009f00000000000800a0006c09000008006200d0070000080034006d65' +
  '7368';
const AP0_1 =
  '07010000080003000b0000000a0004006170302e31000000080001000000000008000500040000000c00990003000000000000000a000600020000000001000008' +
  '002e00140000000500530000000000080026006c0900000800220100000000080027000000000008009f00000000000800a0006c09000008006200d0070000';
/** What is told as hostapd makes the interface of a 4-address station, and as it takes it away. */
const STA3_MADE =
  '07010000080003000d0000000d0004006170302e7374613300000000080001000000000008000500040000000c00990005000000000000000a0006000200000000' +
  '01000008002e0015000000050053000100000008006200d0070000';
const STA3_GONE = `08${STA3_MADE.slice(2)}`;
/** A station of VLAN 1 is told as new on ap0 (2), as gone on ap0.1 (11). */
const VLAN_NEW = '1301000008000300020000000a000600020000000101000008002e000100000004001500';
const VLAN_GONE =
  '14010000080003000b0000000a000600020000000101000008002e000500000064041500080010003900000008000100d80200000c002a0024b6ca910a00000008' +
  '0002002e05000008000300990100000c0017002e050000000000000c00180099010000000000000c00200000000000000000000c00270000000000000000000500' +
  '0700e200000005000d00e200000014000800080005000a000000060001000a00000014000e0008000500680100000600010068010000080009000e00000008000a' +
  '000400000008000b000000000008000c000000000008001b00ee02000014000f00050004000000000006000500000000000c001100fe000000040000000c001c00' +
  '000000000000000078031f00340001000c00010000000000000000000c00020000000000000000000c00030000000000000000000c000400000000000000000034' +
  '0002000c00010000000000000000000c00020000000000000000000c00030000000000000000000c0004000000000000000000340003000c000100000000000000' +
  '00000c00020000000000000000000c00030000000000000000000c0004000000000000000000340004000c00010000000000000000000c00020000000000000000' +
  '000c00030000000000000000000c0004000000000000000000340005000c00010000000000000000000c00020000000000000000000c0003000000000000000000' +
  '0c0004000000000000000000340006000c00010000000000000000000c00020000000000000000000c00030000000000000000000c000400000000000000000034' +
  '0007000c00010000000000000000000c00020000000000000000000c00030000000000000000000c0004000000000000000000340008000c000100000000000000' +
  '00000c00020000000000000000000c00030000000000000000000c0004000000000000000000340009000c00010000000000000000000c00020000000000000000' +
  '000c00030000000000000000000c000400000000000000000034000a000c00010000000000000000000c00020000000000000000000c0003000000000000000000' +
  '0c000400000000000000000034000b000c00010000000000000000000c00020000000000000000000c00030000000000000000000c000400000000000000000034' +
  '000c000c00010000000000000000000c00020000000000000000000c00030000000000000000000c000400000000000000000034000d000c000100000000000000' +
  '00000c00020000000000000000000c00030000000000000000000c000400000000000000000034000e000c00010000000000000000000c00020000000000000000' +
  '000c00030000000000000000000c000400000000000000000034000f000c00010000000000000000000c00020000000000000000000c0003000000000000000000' +
  '0c0004000000000000000000340010000c00010000000000000000000c00020000000000000000000c00030000000000000000000c000400000000000000000034' +
  '0011000c0001000a000000000000000c00020004000000000000000c00030000000000000000000c0004000000000000000000';

const FAMILY_ANSWER =
  '01 02 0000' +
  '0c00 0200 6e6c383032313100' + // CTRL_ATTR_FAMILY_NAME
  '0600 0100 1c00 0000' + // CTRL_ATTR_FAMILY_ID
  '3400 0780' + // CTRL_ATTR_MCAST_GROUPS
  ' 1800 0180 0800 0200 05000000 0b00 0100 636f6e66696700 00' + // "config" = 5
  ' 1800 0280 0800 0200 08000000 0900 0100 6d6c6d6500 000000'; // "mlme" = 8

t.test('requests', async (t) => {
  t.equal(
    toHex(getFamily('nl80211')),
    '20000000 10000100 00000000 00000000 03010000 0c000200 6e6c383032313100'.replaceAll(' ', ''),
  );
  t.equal(toHex(dumpInterfaces(FAMILY)), '140000001c000100000000000000000005000000');
  t.equal(toHex(dumpStations(FAMILY, 7)), '1c0000001c0001000000000000000000110000000800030007000000');
  t.equal(
    toHex(getStation(FAMILY, 7, MAC)),
    '280000001c00010000000000000000001100000008000300070000000a0006000200000000090000',
  );
});

t.test('a station says whether it is authorized', async (t) => {
  const all = { ifindex: 7, mac: MAC, inactive: 3000, connected: 60, signal: -61 };
  t.strictSame(parseStation(message(newStation('ff000000', '02000000'))), { ...all, authorized: true });
  t.strictSame(parseStation(message(newStation('ff000000', 'a0000000'))), { ...all, authorized: false });
  t.strictSame(parseStation(message(newStation('f0000000', '02000000'))), all, 'a driver that does not say');
  t.equal(parseStation(message('13010000')), undefined);
  t.throws(() => parseStation(message('13010000 0800 0300 07000000 0600 0600 0200 0000')), ShortInput, 'half a MAC');
});

t.test('events', async (t) => {
  t.match(parseStationEvent(message(newStation('ff000000', '00000000'))), { removed: false, station: { authorized: false } });
  t.strictSame(parseStationEvent(message(DEL_STATION)), { removed: true, station: { ifindex: 7, mac: MAC } });
  t.equal(parseStationEvent(message(`25${DEL_STATION.slice(2)}`)), undefined, 'an authentication, say');
});

t.test('interfaces', async (t) => {
  t.strictSame(parseInterface(message(INTERFACE)), {
    ifindex: 7,
    name: 'wlan0',
    radio: 0,
    accessPoint: true,
    vlan: false,
    mac: parseMac('02:00:00:00:aa:01'),
    ssid: fromHex('6d657368'),
  });
  t.equal(parseInterface(message(INTERFACE.replace('0500 03', '0500 02')))?.accessPoint, false);
  t.equal(parseInterface(message('07010000')), undefined);
});

t.test('interfaces and stations of VLANs', async (t) => {
  const mac = parseMac('02:00:00:00:00:01');
  const ap0 = { ifindex: 2, name: 'ap0', radio: 0, accessPoint: true, vlan: false, mac, ssid: fromHex('6d657368') };
  t.strictSame(parseInterface(message(AP0)), ap0);
  t.strictSame(parseInterface(message(AP0_1)), { ifindex: 11, name: 'ap0.1', radio: 0, accessPoint: true, vlan: true, mac });
  t.strictSame(parseInterface(message(STA3_MADE)), { ifindex: 13, name: 'ap0.sta3', radio: 0, accessPoint: true, vlan: true, mac });
  const station = { mac: parseMac('02:00:00:00:01:01') };
  t.match(parseStationEvent(message(VLAN_NEW)), { removed: false, station: { ...station, ifindex: 2, authorized: undefined } });
  t.match(parseStationEvent(message(VLAN_GONE)), { removed: true, station: { ...station, ifindex: 11, signal: -30 } });
});

t.test('a family and its groups', async (t) => {
  const family = parseFamily(message(FAMILY_ANSWER));
  t.equal(family.id, FAMILY);
  t.strictSame([...family.groups], [['config', 5], ['mlme', 8]]);
  t.throws(() => parseFamily(message('01020000')), ShortInput);
});

t.test('truncated and arbitrary input', async (t) => {
  const parsers = [parseStation, parseStationEvent, parseInterface, parseFamily];
  const survives = (payload: Uint8Array) => {
    for (const parse of parsers) {
      try {
        parse({ type: FAMILY, flags: 0, sequence: 0, payload });
      } catch (error) {
        if (!(error instanceof ShortInput) && !(error instanceof BadInput)) throw error;
      }
    }
    return true;
  };
  for (const hex of [newStation('ff000000', '02000000'), DEL_STATION, INTERFACE, FAMILY_ANSWER, AP0, STA3_MADE, VLAN_GONE]) {
    const bytes = fromHex(hex);
    for (let length = 0; length <= bytes.length; length++) t.ok(survives(bytes.subarray(0, length)));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const damaged = bytes.slice();
        damaged[at] = value;
        return survives(damaged);
      }),
      { numRuns: 1000 },
    );
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), survives));
});

/** A kernel with one access point, as far as nl80211 goes. */
function wirelessKernel(stations: string[]) {
  const callbacks: NativeCallback[] = [];
  const joined: number[] = [];
  class Socket {
    readonly #callback: NativeCallback;
    constructor(_protocol: number, _receiveBuffer: number, callback: NativeCallback) {
      this.#callback = callback;
      callbacks.push(callback);
    }
    #answer(sequence: number, ...messages: [type: number, payload: Uint8Array][]) {
      const datagrams = messages.map(([type, payload]) => {
        const bytes = new MessageWriter(type).put(payload).done();
        stampMessage(bytes, sequence, 0);
        return bytes;
      });
      queueMicrotask(() => this.#callback(0, datagrams));
    }
    send(bytes: Uint8Array): number {
      const { type, flags, sequence, payload } = parseMessages(bytes.slice())[0]!;
      const acknowledgement: [number, Uint8Array] = [2, new Uint8Array(20)];
      if (type === 16) this.#answer(sequence, [FAMILY, fromHex(FAMILY_ANSWER)], acknowledgement);
      else if (payload[0] === 5) this.#answer(sequence, [FAMILY, fromHex(INTERFACE)], [3, new Uint8Array(4)]);
      else if ((flags & NLM_F_DUMP) === NLM_F_DUMP) {
        const found = stations.map((hex): [number, Uint8Array] => [FAMILY, fromHex(hex)]);
        this.#answer(sequence, ...found, [3, new Uint8Array(4)]);
      } else if (payload.at(-3) === 9) this.#answer(sequence, [FAMILY, fromHex(stations[0]!)], acknowledgement);
      else this.#answer(sequence, [2, fromHex(`feffffff${'00'.repeat(16)}`)]);
      return 0;
    }
    setOption(_level: number, option: number, value: Uint8Array): number {
      if (option === 1) joined.push(value[0]!);
      return 0;
    }
    getOption = () => 0;
    receive = () => undefined;
    attachFilter = () => 0;
    close = () => undefined;
  }
  const fake = { NetlinkSocket: Socket, PacketSocket: Socket } as unknown as PacketAddon;
  return { addon: fake, callbacks, joined };
}

t.test('an access point from the first question to the last event', async (t) => {
  const station = newStation('ff000000', '02000000');
  const kernel = wirelessKernel([station]);
  const events: StationEvent[] = [];
  const overruns: string[] = [];
  let interfaces = 0;
  const wifi = await Nl80211.open(kernel.addon, {
    onStation: (event) => events.push(event),
    onInterface: () => interfaces++,
    onOverrun: (code) => overruns.push(code),
  });
  t.ok(wifi);
  t.strictSame(kernel.joined, [8, 5], 'the groups mlme and config');
  t.match(await wifi!.interfaces(), [{ name: 'wlan0', accessPoint: true }]);
  t.match(await wifi!.stations(7), [{ mac: MAC, authorized: true }]);
  t.match(await wifi!.station(7, MAC), { authorized: true });
  t.equal(await wifi!.station(7, parseMac('02:00:00:00:00:01')), undefined);
  const multicast = kernel.callbacks[1]!;
  for (const hex of [newStation('ff000000', '00000000'), STA3_MADE, DEL_STATION, STA3_GONE, '13010000 ff']) {
    multicast(0, [new MessageWriter(FAMILY).put(fromHex(hex)).done()]);
  }
  multicast(105);
  t.match(events, [{ removed: false, station: { authorized: false } }, { removed: true, station: { mac: MAC } }]);
  t.equal(interfaces, 2, 'made and gone');
  t.strictSame(overruns, ['ENOBUFS']);
  wifi!.close();
});

t.test('a real kernel: families by name, and Wi-Fi or none', async (t) => {
  const socket = new NetlinkSocket(addon(), NETLINK_GENERIC);
  const controller = await resolveFamily(socket, 'nlctrl');
  t.equal(controller?.id, 16);
  t.ok(controller?.groups.has('notify'));
  t.equal(await resolveFamily(socket, 'no-such-thing'), undefined);
  const wanted = await resolveFamily(socket, 'nl80211');
  socket.close();
  const wifi = await Nl80211.open(addon(), { onStation: () => undefined, onInterface: () => undefined, onOverrun: () => undefined });
  t.equal(wifi !== undefined, wanted !== undefined);
  for (const { ifindex, accessPoint } of (await wifi?.interfaces()) ?? []) {
    if (accessPoint) t.ok(Array.isArray(await wifi!.stations(ifindex)));
  }
  wifi?.close();
});

t.test('a station is removed by a deauthentication frame with a reason', async (t) => {
  // linux/nl80211.h: NL80211_CMD_DEL_STATION with NL80211_ATTR_MGMT_SUBTYPE (41) and NL80211_ATTR_REASON_CODE (54).
  const expected = '14000000' + '0800030007000000' + '0a000600' + '020000000009' + '0000' + '05002900' + '0c000000' + '06003600' + '03000000';
  t.equal(toHex(deleteStation(FAMILY, 7, MAC, 3).subarray(16)), expected);
});
