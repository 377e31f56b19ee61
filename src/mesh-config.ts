/** What the configuration says about other routers: whether any is talked to, and where they are looked for. */
import type { Config } from './config/config.js';
import type { Ip } from './net/ip.js';
import { readIp } from './net/ip.js';
import type { InterfaceChoice } from './ports.js';

/** Whether no peer could be trusted, so that none is talked to. */
export function isMute({ auth, key }: Config): boolean {
  return auth === 'psk' && key === undefined;
}

/** Said where {@link isMute} holds. */
export const MUTE = "no key is set and auth is not 'none': this router talks to no other";

/** The addresses that peers are configured by; where that is a name, who knows which address it is tomorrow. */
export function peerAddresses({ peer }: Config): Ip[] {
  return peer.flatMap(({ host }) => readIp(host) ?? []);
}

/** Where to look for other routers. Without a key anybody could answer: then only where the user says so. */
export function discoveryInterfaces({ meshInterface, interface: clients, auth }: Config): InterfaceChoice {
  return { only: meshInterface.length > 0 ? meshInterface : auth === 'none' ? [] : undefined, except: clients };
}

/** Whether neighbours may be found: a router that has lost what it stored may know of no other way to the rest. */
export function mayFindNodes(config: Config): boolean {
  const { only } = discoveryInterfaces(config);
  return config.discovery && !isMute(config) && (only === undefined || only.length > 0);
}
