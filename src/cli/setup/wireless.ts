/** An access point of the same name on every radio, over the clients' bridge. */
import type { Section } from 'uci-parser';
import type { Draft } from './draft.js';
import type { SetupRequest } from './request.js';

/** Returns what a person has to know of it. */
export function planWireless(draft: Draft, { network, ssid, wifiKey }: SetupRequest): string[] {
  const wireless = draft.package('wireless');
  const radios = wireless?.ofType('wifi-device') ?? [];
  if (radios.length === 0) return ['there is no radio: clients come by cable, or this is a transit router'];
  for (const section of wireless!.ofType('wifi-iface').filter(isFactoryDefault)) draft.set(section, 'disabled', '1');
  for (const radio of radios) {
    if (radio.get('disabled') === '1') draft.set(radio, 'disabled', '0');
    draft.section(`wireless.${network}_${radio.name}`, 'wifi-iface', { device: radio.name, network, mode: 'ap', ssid, ...security(wifiKey) });
  }
  const missing = radios.filter((radio) => radio.get('country') === undefined).map(({ name }) => name);
  return missing.length === 0 ? [] : [`set the country of ${missing.join(', ')} (uci set wireless.${missing[0]}.country=...): channels and power depend on it`];
}

/** The open network `OpenWrt` on lan that a router comes with: off until now, and to stay so when its radio goes on. */
function isFactoryDefault(section: Section): boolean {
  return section.get('ssid') === 'OpenWrt' && section.get('encryption') === 'none' && section.get('disabled') !== '1';
}

/** WPA2 and WPA3; fast transition (IEEE 802.11r) spares a client most of the handshake when it roams. */
function security(wifiKey: string | undefined): { readonly [option: string]: string } {
  if (wifiKey === undefined) return { encryption: 'none' };
  return { encryption: 'sae-mixed', key: wifiKey, ieee80211r: '1', ft_over_ds: '0', ft_psk_generate_local: '1' };
}
