import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { openFileSource } from "@isthmus/core";

/**
 * Number of bytes that are read at once: core reads so many bytes without handing over to another thread, and
 * each download holds about two pieces.
 */
const PIECE_BYTES = 64 * 1024;

/** Reads bytes `[begin, end)` of a file, piece by piece. */
export async function* readPieces(path: string, begin: number, end: number): AsyncGenerator<Uint8Array> {
  const source = await openFileSource(path);
  try {
    for (let at = begin; at < end; at += PIECE_BYTES) {
      yield await source.read(at, Math.min(at + PIECE_BYTES, end));
    }
  } finally {
    await source.close();
  }
}

/** Streams bytes `[begin, end)` of a file; at most one piece waits to be sent. */
export function streamPieces(path: string, begin: number, end: number): Readable {
  return Readable.from(readPieces(path, begin, end), { objectMode: false, highWaterMark: 1 });
}

/** Returns the number of bytes of a file, 0 if there is no file. */
export async function fileSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
