/** The status codes of ubus (ubusmsg.h, `enum ubus_msg_status`), by name. */
export const Status = {
  ok: 0,
  invalidCommand: 1,
  invalidArgument: 2,
  methodNotFound: 3,
  notFound: 4,
  noData: 5,
  permissionDenied: 6,
  timeout: 7,
  notSupported: 8,
  unknownError: 9,
  connectionFailed: 10,
  noMemory: 11,
  parseError: 12,
  systemError: 13,
} as const;

const texts: readonly string[] = [
  'Success',
  'Invalid command',
  'Invalid argument',
  'Method not found',
  'Not found',
  'No response',
  'Permission denied',
  'Request timed out',
  'Operation not supported',
  'Unknown error',
  'Connection failed',
  'Out of memory',
  'Parsing message data failed',
  'System error',
];

const names = new Map<number, string>(Object.entries(Status).map(([name, code]) => [code, name]));

/** The text that the `ubus` command prints for a status, `Unknown error` for codes that ubus does not define. */
export function statusText(status: number): string {
  return texts[status] ?? 'Unknown error';
}

/** The key of `Status` that belongs to a code, or `status <code>` for codes that ubus does not define. */
export function statusName(status: number): string {
  return names.get(status) ?? `status ${status}`;
}

/** A request that ended with a status other than 0, sent by the other side or found out here (timeout, no connection). */
export class UbusError extends Error {
  /** The code as it travelled: 1 to 13, or whatever an object chose to return, negative numbers too. */
  readonly status: number;
  /** The name of the code: a key of `Status`, or `status <code>`. */
  readonly statusName: string;

  constructor(status: number, context?: string, options?: ErrorOptions) {
    const text = statusText(status);
    super(context === undefined ? `${text} (${status})` : `${context}: ${text} (${status})`, options);
    this.name = 'UbusError';
    this.status = status;
    this.statusName = statusName(status);
  }
}

/** Bytes that are no valid message, blob or blobmsg. */
export class MalformedError extends Error {
  /** Where in the bytes given to the decoder the fault lies. */
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(`${reason} at byte ${offset}`);
    this.name = 'MalformedError';
    this.offset = offset;
  }
}
