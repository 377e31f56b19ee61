/**
 * Columns that a text takes on a terminal. The bundler puts this in the place of the package string-width, which yargs
 * measures its help with: that one makes an Intl.Segmenter as it is loaded, which costs 7 MiB of memory and a good part
 * of the start. Our help has no letters of other than one column.
 */
export default function stringWidth(text: string): number {
  return text.replace(/\x1b\[[0-9;]*m/g, '').length;
}
