/** Reading captures in the classic pcap format (draft-ietf-opsawg-pcap), as `dumpcap -P` writes them. */

export interface Captured {
  /** Milliseconds since 1970, as the kernel took them. */
  readonly time: number;
  /** Bytes on the wire. */
  readonly length: number;
  /** As much of the frame as was kept. */
  readonly frame: Uint8Array;
}

const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;

/** Whole packets only: the last may be cut where the capture is still being written. Throws where it is none. */
export function* readCapture(file: Uint8Array): Generator<Captured> {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < FILE_HEADER) throw new Error('not a capture: too short');
  const little = [MICROSECONDS, NANOSECONDS].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, little);
  if (magic !== MICROSECONDS && magic !== NANOSECONDS) throw new Error('not a capture in pcap format');
  const fraction = magic === MICROSECONDS ? 1e3 : 1e6;
  for (let at = FILE_HEADER; at + PACKET_HEADER <= file.length; ) {
    const kept = view.getUint32(at + 8, little);
    const end = at + PACKET_HEADER + kept;
    if (end > file.length) return;
    const time = view.getUint32(at, little) * 1000 + view.getUint32(at + 4, little) / fraction;
    yield { time, length: view.getUint32(at + 12, little), frame: file.subarray(at + PACKET_HEADER, end) };
    at = end;
  }
}

/** A packet of a stream, see stream.c. */
export interface StreamPacket {
  readonly family: 4 | 6;
  readonly direction: 'up' | 'down';
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly sent: number;
  readonly arrived: number;
}

const ETHERNET = 14;
const UDP = 8;

/** A frame as a packet of a stream; undefined where it is none. `payload`: the size of a stream's payload. */
export function readStreamPacket({ time, frame }: Captured, payload: number): StreamPacket | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < ETHERNET + 20) return undefined;
  const type = view.getUint16(12);
  const family = type === 0x0800 ? 4 : type === 0x86dd ? 6 : undefined;
  if (family === undefined) return undefined;
  const at = ETHERNET + (family === 4 ? (frame[ETHERNET]! & 15) * 4 : 40) + UDP;
  if (frame.length < at + payload) return undefined;
  return {
    family,
    direction: frame[at] === 0 ? 'up' : 'down',
    sequence: view.getUint32(at + 4),
    sent: view.getFloat64(at + 8),
    arrived: time,
  };
}
