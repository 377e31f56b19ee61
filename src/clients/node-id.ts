import type { Brand } from '../net/brand.js';
import { BadInput, fromHex, toHex } from '../net/bytes.js';

/** The 8-byte id of a node, as 16 lower-case hexadecimal digits. */
export type NodeId = Brand<string, 'NodeId'>;

export function nodeIdFromBytes(bytes: Uint8Array): NodeId {
  if (bytes.length !== 8) throw new BadInput(`a node id has 8 bytes, not ${bytes.length}`);
  return toHex(bytes) as NodeId;
}

export function nodeIdToBytes(id: NodeId): Uint8Array {
  return fromHex(id);
}

export function parseNodeId(text: string): NodeId {
  return nodeIdFromBytes(fromHex(text));
}
