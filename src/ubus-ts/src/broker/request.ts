import { AttributeReader } from '../codec/blob.js';
import { MessageType, decodeAttributes } from '../codec/message.js';
import type { Attributes, Frame } from '../codec/message.js';
import { untilNul } from '../codec/text.js';

/** Attributes whose size ubusd does not check (ubusd_proto.c, ubus_policy). */
const targetId = 8;
const noReplyId = 10;

const readsUnchecked = new Set<number>([MessageType.subscribe, MessageType.unsubscribe, MessageType.notify]);

/** The attributes of a request as ubusd sees them: strings end at their first NUL, and the size of some does not matter. */
export function readRequest({ type, body }: Frame): Attributes {
  const attrs = decodeAttributes(body);
  if (attrs.objpath !== undefined) attrs.objpath = untilNul(attrs.objpath);
  if (attrs.method !== undefined) attrs.method = untilNul(attrs.method);
  if (readsUnchecked.has(type)) readUnchecked(body, attrs);
  return attrs;
}

/** Takes as many bytes as the type has, whatever the attribute's length says; ubusd would even read beyond the message. */
function readUnchecked(body: Uint8Array, attrs: Attributes): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const reader = new AttributeReader(body);
  while (reader.next()) {
    const at = reader.payloadStart;
    if (reader.short) continue;
    if (reader.id === targetId && at + 4 <= body.length) attrs.target = view.getUint32(at);
    if (reader.id === noReplyId && at < body.length) attrs.noReply = view.getUint8(at) !== 0;
  }
}
