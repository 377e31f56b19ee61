/** Tables of rules, defects and behaviours name the tests that show them: those are there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const TABLES = ['defects.md', 'behaviours.md', 'dhcp4/rfc2131.md', 'ra/rfc4861.md'];

/** The last two cells of each row: file and a part of the test's name. */
function rowsOf(table: string): [file: string, test: string][] {
  const rows = readFileSync(join(import.meta.dirname, table), 'utf8').split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => {
    const cells = row.split('|').slice(1, -1).map((cell) => cell.trim());
    return [cells.at(-2)!, cells.at(-1)!];
  });
}

/** Lines that name a test. */
function namesIn(file: string): string {
  return readFileSync(file, 'utf8').split('\n').filter((line) => /\.test\(|name: |^ *\[['`"]/.test(line)).join('\n');
}

for (const table of TABLES) {
  t.test(table, async (t) => {
    const rows = rowsOf(table);
    t.ok(rows.length > 10, `${rows.length} rows`);
    for (const [file, test] of rows) {
      const path = join(import.meta.dirname, file);
      t.ok(existsSync(path) && namesIn(path).includes(test), `${file}: ${test}`);
    }
  });
}
