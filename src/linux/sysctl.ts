import { readFile, writeFile } from './files.js';

/** Sets a kernel setting, such as `net.ipv4.ip_forward`, and returns what it was. Rejects where it cannot be had or set. */
export async function setSysctl(name: string, value: string): Promise<string> {
  const file = `/proc/sys/${name.replaceAll('.', '/')}`;
  const old = (await readFile(file, 'utf8')).trim();
  if (old !== value) await writeFile(file, value);
  return old;
}
