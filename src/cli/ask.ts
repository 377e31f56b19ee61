/** Asking the daemon on this router, as anybody would: through ubus. */
import type { Plain, PlainTable } from 'ubus-ts';
import { decodeFields, fromFields, Status, UbusClient, UbusError } from 'ubus-ts';

/** How the program ends: README's table. */
export const ExitCode = {
  failure: 1,
  /** The words on the command line cannot be. */
  usage: 2,
  /** The daemon, or ubusd, does not answer. */
  unreachable: 3,
} as const;

/** Something that a person has to be told in one line; the program then ends with `code`. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly code: number = ExitCode.failure,
  ) {
    super(message);
  }
}

export const OBJECT = 'roaming';

/** Runs `work` with a connection to ubusd. Throws {@link CliError} in words that say what to do. */
export async function withUbus<T>(socket: string | undefined, work: (ubus: UbusClient) => Promise<T>): Promise<T> {
  const ubus = new UbusClient({ ...(socket === undefined ? {} : { path: socket }), reconnect: false });
  try {
    await ubus.connect();
    return await work(ubus);
  } catch (error) {
    throw error instanceof UbusError ? explain(error) : error;
  } finally {
    ubus.close();
  }
}

/** Calls a method of the daemon's ubus object. Throws {@link CliError}. */
export function ask(socket: string | undefined, method: string, args: PlainTable = {}): Promise<PlainTable> {
  return withUbus(socket, (ubus) => askOn(ubus, method, args));
}

/**
 * The same on a connection that is there. Where an answer is of many clients it comes in parts, which are put together.
 * Throws UbusError, and {@link CliError} with the daemon's own words.
 */
export async function askOn(ubus: UbusClient, method: string, args: PlainTable = {}): Promise<PlainTable> {
  const { next, ...whole } = await askOnce(ubus, method, args);
  for (let after = next; typeof after === 'string'; ) {
    const part = await askOnce(ubus, method, { ...args, after });
    after = part['next'];
    for (const [name, list] of Object.entries(whole)) if (Array.isArray(list)) append(list, part[name]);
  }
  return whole;
}

/** Not by spreading: that many arguments are too many. */
function append(list: Plain[], more: Plain | undefined): void {
  if (Array.isArray(more)) for (const one of more) list.push(one);
}

async function askOnce(ubus: UbusClient, method: string, args: PlainTable): Promise<PlainTable> {
  let answer: PlainTable = {};
  try {
    await ubus.invoke(OBJECT, method, args, (data) => {
      answer = fromFields(decodeFields(data));
    });
    return answer;
  } catch (error) {
    if (typeof answer['error'] === 'string') throw new CliError(answer['error'], ExitCode.usage);
    throw error;
  }
}

/** ubusd hides from others than root what they have no right to. */
export function whyNot(uid: number | undefined): string {
  return uid === 0 ? "is it running? ('service roaming status', 'logread -e roaming')" : 'try as root, else ubusd does not say whether it is there';
}

function explain(error: UbusError): CliError {
  switch (error.status) {
    case Status.connectionFailed:
      return new CliError(`ubusd cannot be reached (${error.message})`, ExitCode.unreachable);
    case Status.notFound:
      return new CliError(`the daemon does not answer on ubus: ${whyNot(process.getuid?.())}`, ExitCode.unreachable);
    case Status.permissionDenied:
      return new CliError('not allowed to ask the daemon: try as root');
    default:
      return new CliError(error.message);
  }
}
