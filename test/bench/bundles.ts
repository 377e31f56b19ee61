/** Where bundles and programs are, beside this one, and the addon. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Programs } from './systems.js';

const here = dirname(fileURLToPath(import.meta.url));

export const programs: Programs = {
  roaming: join(here, '../dist/roaming.js'),
  accessPoint: join(here, 'access-point.mjs'),
  stream: join(here, 'stream'),
};

export const packetAddon = join(here, '../dist/packet.node');
