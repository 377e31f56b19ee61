/** What a third party's dissectors say of our frames. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For a test's `skip` option: false where tshark is there. */
export function tsharkMissing(): string | false {
  return spawnSync('tshark', ['--version']).status === 0 ? false : 'tshark is not on PATH';
}

/** A capture file of Ethernet frames, a millisecond apart (the classic format, little endian). */
function pcap(frames: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(1, 20);
  const packets = frames.flatMap((frame, i) => {
    const packet = Buffer.alloc(16);
    packet.writeUInt32LE(1000 * (i % 1000), 4);
    packet.writeUInt32LE(frame.length, 8);
    packet.writeUInt32LE(frame.length, 12);
    return [packet, frame];
  });
  return Buffer.concat([header, ...packets]);
}

/** Runs tshark on the frames and returns one line for each frame that `filter` shows, the fields joined by `|`. */
export function tshark(frames: readonly Uint8Array[], filter: string, ...fields: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'tshark-'));
  try {
    const file = join(folder, 'frames.pcap');
    writeFileSync(file, pcap(frames));
    const columns = fields.flatMap((field) => ['-e', field]);
    const options = ['-n', '-r', file, '-Y', filter, '-T', 'fields', '-E', 'separator=|', ...columns];
    const output = execFileSync('tshark', options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return output.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What tshark finds wrong, one line for each remark. */
export function remarks(frames: readonly Uint8Array[]): string[] {
  const wrong = '_ws.malformed || _ws.short || _ws.expert || icmpv6.checksum.status == "Bad"';
  return tshark(frames, wrong, 'frame.number', '_ws.malformed', '_ws.expert.message', 'icmpv6.checksum.status');
}
