/* MONITOR messages: what ubusd tells a monitor about each message it read or queued (`enum ubus_monitor_attr`). */
import { MalformedError } from '../errors.js';
import { AttributeReader, BlobWriter } from './blob.js';

/** A message that passed through ubusd. */
export interface MonitorRecord {
  /** Id of the client that sent the message, or that it was queued for. */
  readonly client: number;
  /** Peer, seq and type from the header of the message. */
  readonly peer: number;
  readonly seq: number;
  readonly type: number;
  /** True: from ubusd to the client. False: from the client to ubusd. */
  readonly send: boolean;
  /** The body of the message, see `decodeAttributes`. */
  readonly body: Uint8Array;
}

const attribute = { client: 0, peer: 1, send: 2, seq: 3, type: 4, data: 5 } as const;

/** The body of a MONITOR message, attributes in the order in which ubusd writes them. */
export function encodeMonitor(record: MonitorRecord): Uint8Array {
  const writer = new BlobWriter(64 + record.body.length);
  for (const name of ['client', 'peer', 'seq', 'type'] as const) {
    const start = writer.open(attribute[name]);
    writer.uint32(record[name] >>> 0);
    writer.close(start);
  }
  const send = writer.open(attribute.send);
  writer.uint8(record.send ? 1 : 0);
  writer.close(send);
  const data = writer.open(attribute.data);
  writer.bytes(record.body);
  writer.close(data);
  return writer.finish();
}

/**
 * Reads the body of a MONITOR message.
 * @throws MalformedError if an attribute is missing or does not fit its type.
 */
export function decodeMonitor(body: Uint8Array): MonitorRecord {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const numbers: (number | undefined)[] = [];
  let send: boolean | undefined;
  let data: Uint8Array | undefined;
  const reader = new AttributeReader(body);
  while (reader.next()) {
    const { id, payloadStart, payloadEnd } = reader;
    if (id === attribute.data) data = body.subarray(payloadStart, payloadEnd);
    else if (id === attribute.send && payloadEnd - payloadStart === 1) send = body[payloadStart] !== 0;
    else if (payloadEnd - payloadStart === 4) numbers[id] = view.getUint32(payloadStart);
  }
  const [client, peer] = numbers;
  const seq = numbers[attribute.seq];
  const type = numbers[attribute.type];
  if (client === undefined || peer === undefined || seq === undefined || type === undefined || send === undefined || data === undefined) {
    throw new MalformedError('incomplete monitor record', reader.position);
  }
  return { client, peer, seq, type, send, body: data };
}
