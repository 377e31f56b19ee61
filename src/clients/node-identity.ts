/** Which id a node has: stable over restarts, and over those of a router that keeps nothing, whose /var is in memory. */
import { toHex } from '../net/bytes.js';
import { modifiedEui64 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { isStationMac, isUniversalMac } from '../net/mac.js';
import type { Kernel, Logger, Random, Storage } from '../ports.js';
import type { NodeId } from './node-id.js';
import { nodeIdFromBytes, nodeIdToBytes, parseNodeId } from './node-id.js';

export interface IdentityPorts {
  readonly storage: Storage;
  readonly kernel: Kernel;
  readonly random: Random;
  readonly log: Logger;
}

const NODE_ID_FILE = 'node-id';

/** IANA's block (RFC 9542): what is in it is shared by design, as the gateway's MAC is. */
const SHARED = '00:00:5e:';

/**
 * The id that follows from a router's hardware: the modified EUI-64 (RFC 4291, appendix A) of the lowest of its MACs
 * that no other device should have. Undefined where there is none, as in containers and most virtual machines.
 */
export function hardwareNodeId(permanentMacs: readonly Mac[]): NodeId | undefined {
  const [lowest] = permanentMacs.filter((mac) => isUniversalMac(mac) && isStationMac(mac) && !mac.startsWith(SHARED)).sort();
  return lowest === undefined ? undefined : nodeIdFromBytes(modifiedEui64(lowest));
}

/** Whether an id follows from a MAC that is none of this hardware's: the storage is a copy of another router's. */
function isForeign(id: NodeId, permanentMacs: readonly Mac[]): boolean {
  return /^.{6}fffe/.test(id) && !permanentMacs.some((mac) => toHex(modifiedEui64(mac)) === id);
}

/**
 * The id of this node: as configured, as at an earlier start, by the hardware, or by chance. It is kept for ever, since
 * peers remember what it said, unless the storage came from another router with its id. Where the disk is full, read-only
 * or not there yet, a node with an id for this run only is better than none.
 */
export async function loadNodeId(configured: string | undefined, { storage, kernel, random, log }: IdentityPorts): Promise<NodeId> {
  if (configured !== undefined) return parseNodeId(configured);
  const failed = (what: string) => (error: Error) => log.warn(`the node id cannot be ${what}: ${error.message}`);
  const stored = await storage.load(NODE_ID_FILE).catch(failed('read'));
  const macs = await kernel.permanentMacs().catch((error: Error) => {
    log.warn(`the MAC addresses of the hardware cannot be read: ${error.message}`);
    return [];
  });
  const made = hardwareNodeId(macs);
  if (stored?.length === 8) {
    const kept = nodeIdFromBytes(stored);
    if (made === undefined || !isForeign(kept, macs)) return kept;
    log.warn(`the stored node id, ${kept}, is of another router's hardware: this one is ${made}`);
  } else if (stored) log.error(`the stored node id has ${stored.length} bytes, not 8: a new one is made`);
  const id = made ?? nodeIdFromBytes(random.bytes(8));
  await storage.save(NODE_ID_FILE, nodeIdToBytes(id)).catch(failed('kept'));
  return id;
}
