export * from './errors.js';
export { AttributeReader, BlobWriter, attributeHeader, maxAttributeLength, padded } from './codec/blob.js';
export { blobmsgTypes, decodeFields, encodeFields, maxDepth } from './codec/blobmsg.js';
export type { BlobmsgType, DecodeMode, Field } from './codec/blobmsg.js';
export { Typed, array, double, fromFields, int16, int32, int64, int8, table, toFields } from './codec/values.js';
export type { Plain, PlainTable, Table, TableOrFields, Value } from './codec/values.js';
export { parseJson } from './codec/json-parse.js';
export { formatJson } from './codec/json-format.js';
export type { FormatOptions } from './codec/json-format.js';
export { decodeText, encodeText } from './codec/text.js';
export {
  MessageType,
  SystemObject,
  decodeAttributes,
  decodeMessage,
  encodeAttributes,
  encodeFrame,
  encodeMessage,
  firstDynamicId,
  maxBlobLength,
  messageHeader,
} from './codec/message.js';
export type { Attributes, Frame, Message } from './codec/message.js';
export { MessageReader } from './codec/message-reader.js';
export { argumentTypes, decodeSignature, encodeSignature, formatSignature } from './codec/signature.js';
export type { ArgumentType, MethodSignature } from './codec/signature.js';
export { decodeMonitor, encodeMonitor } from './codec/monitor.js';
export type { MonitorRecord } from './codec/monitor.js';
export * from './broker/index.js';
