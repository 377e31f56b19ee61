/** What stream.c sends. Where both ends of a stream listen: */
export const STREAM_PORT = 5001;

/** Payload, big endian: direction (1; 0 is up), nothing (3), sequence number (4), time of sending in ms since 1970 (8). */
export const PAYLOAD_SIZE = 16;
