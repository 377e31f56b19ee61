/** Arguments of the ubus methods, checked. Each function throws BadInput with a line that names the argument. */
import { BadInput } from '../net/bytes.js';
import type { NodeId } from '../clients/node-id.js';
import { parseNodeId } from '../clients/node-id.js';
import type { Ip } from '../net/ip.js';
import { parseIp } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { parseMac } from '../net/mac.js';
import type { BusArguments } from '../ports.js';

/** A string; an empty one is as none, since forms send that. */
export function text(args: BusArguments, name: string): string | undefined {
  const value = args[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new BadInput(`${name}: a string is expected`);
  return value;
}

export function mac(args: BusArguments, name = 'mac'): Mac | undefined {
  return read(args, name, parseMac);
}

export function requiredMac(args: BusArguments): Mac {
  const value = mac(args);
  if (value === undefined) throw new BadInput('mac: the MAC address of a client is needed');
  return value;
}

export function node(args: BusArguments, name: string): NodeId | undefined {
  return read(args, name, parseNodeId);
}

export function address(args: BusArguments): Ip | undefined {
  return read(args, 'address', parseIp);
}

export function flag(args: BusArguments, name: string): boolean | undefined {
  const value = args[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new BadInput(`${name}: true or false is expected`);
  return value;
}

/** How many answers are wanted at the most. */
export function limit(args: BusArguments, preset: number): number {
  const value = args['limit'];
  if (value === undefined || value === null) return preset;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new BadInput('limit: a whole number from 1 on is expected');
  }
  return value;
}

function read<T>(args: BusArguments, name: string, parse: (text: string) => T): T | undefined {
  const value = text(args, name);
  if (value === undefined) return undefined;
  try {
    return parse(value);
  } catch (error) {
    throw error instanceof BadInput ? new BadInput(`${name}: ${error.message}`) : error;
  }
}
