/** The name that a client gives itself: for display, never trusted. */
import { readDnsNames } from '../net/dns-name.js';
import type { Options } from './options.js';
import { OptionCode } from './options.js';

const LONGEST_NAME = 63;

/** The encoding flag of RFC 4702 2.1: the name is in the form of RFC 1035, not in ASCII. */
const FQDN_ENCODED = 0x04;
const FQDN_HEADER_BYTES = 3;

/** From the host name option, else from that of RFC 4702; undefined where there is neither or nothing is left of it. */
export function hostNameIn(options: Options): string | undefined {
  const hostName = options.get(OptionCode.hostName);
  const name = hostName === undefined ? fqdnIn(options) : new TextDecoder().decode(hostName);
  return name === undefined ? undefined : displayable(name);
}

function fqdnIn(options: Options): string | undefined {
  const fqdn = options.get(OptionCode.clientFqdn);
  if (fqdn === undefined || fqdn.length <= FQDN_HEADER_BYTES) return undefined;
  const name = fqdn.subarray(FQDN_HEADER_BYTES);
  if ((fqdn[0]! & FQDN_ENCODED) === 0) return new TextDecoder().decode(name);
  // A relative name has no empty label behind it, which a reader of names wants.
  return readDnsNames(Uint8Array.of(...name, 0))?.[0];
}

/** Nothing that moves a terminal's cursor or ends a quotation: letters, digits and a little else; at most 63 characters. */
function displayable(name: string): string | undefined {
  const [visible] = name.split('\0');
  const kept = visible!.replace(/[^\p{L}\p{M}\p{N} ._'\u2019()-]/gu, '').trim();
  return kept === '' ? undefined : [...kept].slice(0, LONGEST_NAME).join('');
}
