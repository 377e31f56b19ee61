import { readFileSync } from 'node:fs';

/** What files/etc/init.d/roaming has Node.js run the daemon with. */
export const SHIPPED_FLAGS: readonly string[] = /^V8_FLAGS='(.*)'$/m.exec(readFileSync('files/etc/init.d/roaming', 'utf8'))![1]!.split(' ');
