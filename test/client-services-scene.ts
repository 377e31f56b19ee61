/** A router's services to clients in one process: real database, frames in and out. */
import { ClientServices } from '../src/client-services.js';
import { Database } from '../src/clients/database.js';
import type { Instant } from '../src/clients/time.js';
import { HOUR } from '../src/clients/time.js';
import { MessageType, parseDhcp4, writeDhcp4 } from '../src/dhcp4/message.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../src/gateway/gateway.js';
import { EtherType } from '../src/net/ethernet.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../src/net/frame4.js';
import type { Family, Ip4 } from '../src/net/ip.js';
import { BROADCAST4 } from '../src/net/ip.js';
import type { Mac } from '../src/net/mac.js';
import { BROADCAST_MAC } from '../src/net/mac.js';
import type { Fields } from './dhcp4/helpers.js';
import { message } from './dhcp4/helpers.js';
import { configOf } from './support.js';

export const START = (5 * HOUR) as Instant;
export const GATEWAY4 = '10.44.0.1' as Ip4;
export const NETWORK = 'br-client';

export const configFor = (...options: string[]) => configOf(`list interface '${NETWORK}'`, "list prefix '10.44.0.0/24'", ...options);

export function start(...options: string[]) {
  const config = configFor(...options);
  const db = new Database();
  const gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: [GATEWAY4] };
  const sent: Uint8Array[] = [];
  const rivals: Ip4[] = [];
  const exhausted: Family[] = [];
  const scene = { now: START, db, sent, rivals, exhausted, absent: new Set<Mac>() };
  const services = new ClientServices({
    config,
    db,
    random: { bytes: (n) => new Uint8Array(n), below: () => 0 },
    gateway,
    own: [GATEWAY4],
    station: (mac) => (scene.absent.has(mac) ? undefined : { mac, network: NETWORK, via: 'wlan0', ssid: 'mesh' } as never),
    heard: () => {},
    stray: () => {},
    apply: (record) => void db.apply(record, scene.now),
    send: (_, frame) => void sent.push(frame),
    usurped: () => {},
    rivalled: (server) => void rivals.push(server),
    exhausted: (family) => void exhausted.push(family),
  });
  /** Sends a DHCP message; the answer. */
  const dhcp = (type: keyof typeof MessageType, fields: Fields = {}) => {
    sent.length = 0;
    const request = message(type, fields);
    const frame = writeUdpFrame4({
      sourceMac: request.chaddr,
      destinationMac: BROADCAST_MAC,
      source: request.ciaddr,
      destination: BROADCAST4,
      sourcePort: 68,
      destinationPort: 67,
      payload: writeDhcp4(request),
    });
    services.receive(NETWORK, frame, scene.now);
    const reply = sent.find((one) => one[12] === EtherType.ipv4 >> 8 && one[13] === (EtherType.ipv4 & 0xff));
    return reply === undefined ? undefined : parseDhcp4(parseUdpFrame4(reply).payload);
  };
  const join = (mac: Mac, requested?: Ip4) => {
    const offer = dhcp('discover', { mac, ...(requested === undefined ? {} : { requested }) });
    return offer && dhcp('request', { mac, requested: offer.yiaddr, server: GATEWAY4 })?.yiaddr;
  };
  return Object.assign(scene, { services, gateway, dhcp, join });
}
