/** Colours, where they are wanted: on a terminal, and not where NO_COLOR says otherwise (https://no-color.org). */

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

const plain = (text: string) => text;

export const PLAIN: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain };

const sgr = (on: number, off: number) => (text: string) => `\x1b[${on}m${text}\x1b[${off}m`;

/** ECMA-48 8.3.117 (SGR). */
export const COLOURED: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
};

/** `isTty`: whether what is written goes to a terminal. */
export function chooseStyle(isTty: boolean, env: { readonly [name: string]: string | undefined }): Style {
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  return isTty && !refused && env['TERM'] !== 'dumb' ? COLOURED : PLAIN;
}
