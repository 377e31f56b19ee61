/** Asking the daemon on this router, as anybody would: through ubus. */
import type { PlainTable } from 'ubus-ts';
import { Status, UbusClient, UbusError } from 'ubus-ts';

/** Something that a person has to be told in one line; the program then ends with `code`. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
  }
}

const OBJECT = 'roaming';

/** Calls a method of the daemon's ubus object. Throws {@link CliError} in words that say what to do. */
export async function ask(socket: string | undefined, method: string, args: PlainTable): Promise<PlainTable> {
  const ubus = new UbusClient({ ...(socket === undefined ? {} : { path: socket }), reconnect: false });
  try {
    await ubus.connect();
    return (await ubus.call(OBJECT, method, args)) ?? {};
  } catch (error) {
    throw new CliError(explain(error));
  } finally {
    ubus.close();
  }
}

function explain(error: unknown): string {
  if (!(error instanceof UbusError)) return (error as Error).message;
  switch (error.status) {
    case Status.connectionFailed:
      return `ubusd cannot be reached (${error.message})`;
    case Status.notFound:
      return "the daemon does not answer on ubus: is it running? ('service roaming status', 'logread -e roaming')";
    case Status.permissionDenied:
      return 'not allowed to ask the daemon: try as root';
    default:
      return error.message;
  }
}
