import { readFileSync } from 'node:fs';
import { LATE_OPTIMIZATION } from '../../src/cli/late-optimization.js';

const words = /^V8_FLAGS='(.*)'$/m.exec(readFileSync('files/etc/init.d/roaming', 'utf8'))![1]!.split(' ');

/** What files/etc/init.d/roaming has Node.js run the daemon with, and what the daemon sets itself. */
export const SHIPPED_FLAGS: readonly string[] = [...words, LATE_OPTIMIZATION];
