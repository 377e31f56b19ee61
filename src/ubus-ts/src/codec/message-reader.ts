/* Cuts a stream of bytes into messages. */
import { frameAt, frameLength, type Frame } from './message.js';

/** While a message is incomplete at least this much is set aside for it. */
const initialCapacity = 4096;

/**
 * Takes the chunks of a stream, cut anywhere, and yields the messages in it: `push` a chunk, then call `next` until it returns
 * undefined. It holds no more than the chunk and one incomplete message, so 1 MiB and a bit, whatever a sender claims.
 */
export class MessageReader {
  /** A chunk that is being read, or the beginning of a message that is still incomplete. */
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Whether `#bytes` was allocated here and may be written to. */
  #owned = false;

  /** Bytes that were pushed and not yet returned. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** Adds what came from the stream. The chunk is not copied and must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    if (this.buffered === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * The next message, undefined if more bytes are needed first.
   * @throws MalformedError if the length of a message is out of range; the stream cannot be read any further then.
   */
  next(): Frame | undefined {
    const length = frameLength(this.#bytes, this.#start, this.#end);
    if (length === undefined || length > this.buffered) return undefined;
    const frame = frameAt(this.#bytes, this.#start, length);
    this.#start += length;
    // Frames refer to the buffer, so from here on nothing may be moved in it.
    this.#owned = false;
    return frame;
  }

  #makeRoom(count: number): void {
    if (this.#owned && this.#end + count <= this.#bytes.length) return;
    const kept = this.buffered;
    const grown = new Uint8Array(Math.max(initialCapacity, kept * 2, kept + count));
    grown.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = grown;
    this.#start = 0;
    this.#end = kept;
    this.#owned = true;
  }
}
