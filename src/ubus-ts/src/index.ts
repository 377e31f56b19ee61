export * from './errors.js';
export { UbusClient } from './client/client.js';
export type { ClientEvents, ClientOptions, SubscribeOptions } from './client/client.js';
export type { AclAnswer, ObjectAcl } from './client/acl.js';
export type { ArgumentSpec, Arguments } from './client/arguments.js';
export type { ReconnectOptions } from './client/backoff.js';
export type { RequestOptions } from './client/cancel.js';
export type { EventHandler, Handle } from './client/events.js';
export { defaultPaths } from './client/link.js';
export type { MonitorHandler, MonitoredMessage } from './client/monitoring.js';
export type { NotifyAnswer } from './client/notify.js';
export type { Method, Methods, ObjectOptions, PublishedObject, Reply, Request } from './client/object.js';
export { matchesPattern } from './client/pattern.js';
export type { Platform, Transport, TransportEvents } from './client/platform.js';
export type { ObjectInfo } from './client/requests.js';
export type { Notification, NotificationHandler } from './client/subscription.js';
export type { RemoteObject, Watch, WatchHandlers } from './client/watch.js';
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
