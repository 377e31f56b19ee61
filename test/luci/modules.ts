/** The app's modules of pure functions, outside a browser. */
import { readFileSync } from 'node:fs';
import { APP } from '../../openwrt/luci.js';

/** What `roaming/NAME.js` gives to baseclass.extend(). */
export function loadModule<Module>(name: string): Module {
  const source = readFileSync(`${APP}/htdocs/luci-static/resources/roaming/${name}.js`, 'utf8');
  return new Function('baseclass', source)({ extend: (members: Module) => members }) as Module;
}
