/**
 * The hello that routers send to all on a link, so that neighbours find each other with no peer configured. It says who
 * the sender is and where it listens; its address is that of the datagram. Big endian:
 *
 *     node(8) instance(8) count(4) port(2), then anything
 *
 * `instance` is random, chosen at each start of a daemon, `count` grows with each hello of an instance: a copy of an
 * older hello is passed over. A copy that is new to whoever gets it, and comes from another address, has it dial that
 * address, and nothing more: all that follows from a hello is an attempt to open a session, in which the peer has to
 * show the key. The port that carries hellos hides and authenticates them with the key where one is set.
 */
import type { NodeId } from '../clients/node-id.js';
import { nodeIdFromBytes, nodeIdToBytes } from '../clients/node-id.js';
import { BadInput, Reader, Writer } from '../net/bytes.js';

export interface NeighbourHello {
  readonly node: NodeId;
  readonly instance: bigint;
  readonly count: number;
  /** Where the sender accepts sessions; not 0. */
  readonly port: number;
}

export function encodeHello({ node, instance, count, port }: NeighbourHello): Uint8Array {
  return new Writer(22).put(nodeIdToBytes(node)).u64(instance).u32(count).u16(port).done();
}

/** Throws ShortInput or {@link BadInput}. */
export function decodeHello(bytes: Uint8Array): NeighbourHello {
  const r = new Reader(bytes);
  const hello = { node: nodeIdFromBytes(r.take(8)), instance: r.u64(), count: r.u32(), port: r.u16() };
  if (hello.port === 0) throw new BadInput('a hello of a node that does not listen');
  return hello;
}
