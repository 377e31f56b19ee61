/** The ubus object `roaming`: the Bus port over ubusd. */
import type { ArgumentType, PublishedObject, UbusClient } from 'ubus-ts';
import { decodeFields, Status, UbusError } from 'ubus-ts';
import type { PlainTable, Request } from 'ubus-ts';
import { BadInput } from '../net/bytes.js';
import type { Bus, BusMethod, Logger } from '../ports.js';

const TYPES: { [type in BusMethod['args'][string]]: ArgumentType } = { string: 'string', integer: 'int32', boolean: 'bool' };
const EXPECTED: { [type in BusMethod['args'][string]]: string } = { string: 'a string', integer: 'a whole number', boolean: 'true or false' };

export class UbusObject implements Bus {
  #object: PublishedObject | undefined;

  constructor(
    private readonly ubus: UbusClient,
    private readonly path: string,
    private readonly log: Logger,
  ) {}

  publish(methods: { readonly [name: string]: BusMethod }): void {
    const table = Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, this.#method(method)]));
    this.ubus.addObject(this.path, table).then(
      (object) => {
        this.#object = object;
      },
      (error: Error) => this.log.error(`cannot offer the ubus object ${this.path}: ${error.message}`),
    );
  }

  #method({ args, call }: BusMethod) {
    const types = Object.fromEntries(Object.entries(args).map(([name, type]) => [name, TYPES[type]]));
    const handler = async (given: { readonly [name: string]: unknown }, request: Request): Promise<PlainTable> => {
      try {
        refuseOtherTypes(args, given, request);
        return (await call(given)) as PlainTable;
      } catch (error) {
        if (!(error instanceof BadInput)) throw error;
        // A status is a number: what is wrong goes ahead of it, as data.
        request.reply({ error: error.message });
        throw new UbusError(Status.invalidArgument, error.message);
      }
    };
    return { args: types, handler };
  }

  notify(type: string, data: () => object): void {
    // Without ubusd nobody has subscribed; who comes back later asks for the state.
    if (!this.ubus.connected || this.#object?.hasSubscribers !== true) return;
    this.#object.notify(type, data() as PlainTable);
  }

  stop(): void {
    void this.#object?.remove().catch(() => {});
  }
}

/**
 * Arguments of another type than declared are not among the `given`. Left at that, a mistake in one would get, or end, all
 * there is.
 */
function refuseOtherTypes(args: BusMethod['args'], given: { readonly [name: string]: unknown }, { data }: Request): void {
  for (const { name, type } of decodeFields(data)) {
    const declared = Object.hasOwn(args, name) ? args[name] : undefined;
    if (declared !== undefined && type !== 'unspec' && given[name] === undefined) throw new BadInput(`${name}: ${EXPECTED[declared]} is expected`);
  }
}
