/**
 * Lets node load TypeScript, in place of what tap brings for it, which loads the whole compiler in every test's process.
 * Types are checked once for all, by tsc.
 */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
