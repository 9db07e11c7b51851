import { MessageChannel } from "node:worker_threads";

/** A port that is closed: what is sent through it is dropped at once. */
const { port1: nowhere } = new MessageChannel();
nowhere.close();

/** Smallest number of bytes that are freed: for fewer the collector is not slower. */
const LEAST_BYTES = 16 * 1024;

/**
 * Frees the memory of bytes that nothing will read any more, if it is theirs alone. The collector of garbage
 * counts memory of buffers, and would otherwise look through the whole heap for every 64 MB that are
 * received.
 */
export function freeMemory({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < LEAST_BYTES || buffer.byteLength !== byteLength) return;
  if (!(buffer instanceof ArrayBuffer)) return;
  nowhere.postMessage(null, [buffer]);
}
