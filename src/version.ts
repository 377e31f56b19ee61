/** The release, set by the bundler from package.json. */
export const VERSION: string = typeof __VERSION__ === 'undefined' ? 'development' : __VERSION__;

declare const __VERSION__: string | undefined;
