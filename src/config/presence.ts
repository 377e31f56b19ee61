/** Which sources of presence count, from `list presence` and `list ignore_ssid`. */
import { BadInput } from '../net/bytes.js';
import type { PresenceSource } from '../presence/source.js';
import { isAccessPoint, PRESENCE_SOURCES } from '../presence/source.js';
import type { ValueType } from './types.js';
import { interfaceName } from './types.js';

/** What counts where the user says nothing: access points of this router, told of by whatever there is. */
const PRESET: readonly PresenceSource[] = PRESENCE_SOURCES.filter(isAccessPoint);

/** `fdb`, or `fdb@br-lan`: a source, on one client interface or on all that have none named for them. */
export interface PresenceOption {
  readonly source: PresenceSource;
  readonly network: string | undefined;
}

export const presenceOption: ValueType<PresenceOption> = {
  label: 'source[@interface]',
  read(text) {
    const [word, network, rest] = text.split('@');
    const source = PRESENCE_SOURCES.find((known) => known === word);
    if (source === undefined || rest !== undefined) {
      throw new BadInput(`one of ${PRESENCE_SOURCES.join(', ')}, with @interface if only meant there, such as fdb@br-lan`);
    }
    return { source, network: network === undefined ? undefined : interfaceName.read(network) };
  },
};

/** The sources that count on a client interface: those named for it, else those named for none, else the preset. */
export function presenceSources(options: readonly PresenceOption[], network: string): readonly PresenceSource[] {
  const own = options.filter((option) => option.network === network);
  const chosen = own.length > 0 ? own : options.filter((option) => option.network === undefined);
  return chosen.length > 0 ? chosen.map(({ source }) => source) : PRESET;
}

/** Whether stations of a Wi-Fi network are left alone on a client interface. `ssid` is '' for hosts that have none. */
export function isIgnored(ignored: readonly string[], ssid: string, network: string): boolean {
  return ssid !== '' && (ignored.includes(ssid) || ignored.includes(`${ssid}@${network}`));
}

/** The sources that are listened to: with shared prefixes the neighbour cache knows of addresses too. */
export function sourcesOf(config: {
  readonly presence: readonly PresenceOption[];
  readonly interface: readonly string[];
  readonly ipv6Mode: 'prefix' | 'host';
}): ReadonlySet<PresenceSource> {
  const used = config.interface.flatMap((network) => presenceSources(config.presence, network));
  return new Set(config.ipv6Mode === 'host' ? [...used, 'neighbour'] : used);
}
