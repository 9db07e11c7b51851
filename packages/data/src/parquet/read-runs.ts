import { at } from "@isthmus/core";
import { parquetError } from "./parquet-error.ts";

/** Bytes with encoded runs, and the numbers to read from them. */
export interface RunsRequest {
  /** Bytes from the first run on; bytes behind the last number are not read. */
  readonly bytes: Uint8Array;
  /** Number of bits of a number, at most 32. */
  readonly width: number;
  /** Number of numbers to read. */
  readonly count: number;
  /** Name of the file, for messages. */
  readonly source: string;
}

/**
 * Reads numbers in runs: of one number repeated, or of numbers packed bit by bit. Runs are cut at the number
 * of values that remain to be read.
 * @throws FormatError if the bytes end too early
 */
export function readRuns({ bytes, width, count, source }: RunsRequest): Uint32Array {
  const out = new Uint32Array(count);
  if (width === 0) return out;
  if (width > 32) throw parquetError(source, `its numbers may have 32 bits: they claim ${width}`);
  const cursor = { offset: 0 };
  for (let done = 0; done < count; ) {
    const head = readHead(bytes, cursor, source);
    const isPacked = head % 2 === 1;
    const length = isPacked ? 8 * Math.floor(head / 2) : Math.floor(head / 2);
    if (length === 0) throw parquetError(source, "its runs must have numbers: one has none");
    const size = Math.min(length, count - done);
    const room = out.subarray(done, done + size);
    if (isPacked) {
      const end = cursor.offset + Math.ceil((size * width) / 8);
      unpackBits(take(bytes, cursor.offset, end, source), width, room);
      // The last run is padded to a multiple of eight numbers.
      cursor.offset += (length * width) / 8;
    } else {
      const end = cursor.offset + Math.ceil(width / 8);
      room.fill(take(bytes, cursor.offset, end, source).reduceRight((value, byte) => value * 256 + byte, 0));
      cursor.offset = end;
    }
    done += size;
  }
  return out;
}

function readHead(bytes: Uint8Array, cursor: { offset: number }, source: string): number {
  let value = 0;
  for (let factor = 1; factor < 2 ** 35; factor *= 128) {
    if (cursor.offset >= bytes.length)
      throw parquetError(source, "its pages must be whole: one ends within a run");
    const byte = at(bytes, cursor.offset++, "byte");
    value += (byte & 127) * factor;
    if (byte < 128) return value;
  }
  throw parquetError(source, "the length of a run must have 32 bits: one has more");
}

function take(bytes: Uint8Array, begin: number, end: number, source: string): Uint8Array {
  if (end <= bytes.length) return bytes.subarray(begin, end);
  throw parquetError(source, "its pages must be whole: one ends within a run");
}

function unpackBits(bytes: Uint8Array, width: number, out: Uint32Array): void {
  let bit = 0;
  for (let i = 0; i < out.length; i++) {
    let value = 0;
    for (let done = 0; done < width; ) {
      const part = Math.min(width - done, 8 - (bit & 7));
      const bits = ((bytes[bit >> 3] as number) >> (bit & 7)) & (2 ** part - 1);
      value += bits * 2 ** done;
      done += part;
      bit += part;
    }
    out[i] = value;
  }
}
