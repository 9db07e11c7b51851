import { FormatError } from "@isthmus/core";
import { MAX_TEXT_BYTES } from "./limits.ts";

/** Number of bytes that are decoded at once, as a string of the whole text could be too long. */
const CHUNK = 2 ** 20;

/** Number of arguments that every JavaScript engine accepts. */
const SPREAD = 2 ** 13;

/**
 * Decodes UTF-8 to code points; a byte order mark at the beginning is left out.
 * @param source - name for messages
 * @throws FormatError if bytes are not UTF-8, or there are too many
 */
export function decodeText(bytes: Uint8Array, source: string): Int32Array {
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new FormatError(
      `Cannot read "${source}" as a text must have at most ${MAX_TEXT_BYTES} bytes: it has ${bytes.length}`,
      { format: "text" },
    );
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const points = new Int32Array(bytes.length);
  let count = 0;
  let read = 0;
  try {
    for (let begin = 0; begin < bytes.length; begin += CHUNK) {
      const end = begin + CHUNK;
      read = begin;
      const chunk = decoder.decode(bytes.subarray(begin, end), { stream: end < bytes.length });
      count = codePointsInto(chunk, points, count);
    }
  } catch (cause) {
    throw new FormatError(
      `Cannot read "${source}" as a text must be UTF-8: some of the ${Math.min(CHUNK, bytes.length - read)} bytes from byte ${read} on are not; convert it first (iconv), or is it no text?`,
      { format: "text", cause },
    );
  }
  return points.subarray(0, count);
}

/** Writes the code points of a string to `out` from `begin` on, and returns the position after them. */
export function codePointsInto(text: string, out: Int32Array, begin: number): number {
  let to = begin;
  for (const character of text) out[to++] = character.codePointAt(0) as number;
  return to;
}

/** Joins code points to a string. */
export function textOf(points: Int32Array): string {
  const parts: string[] = [];
  for (let begin = 0; begin < points.length; begin += SPREAD) {
    parts.push(String.fromCodePoint(...points.subarray(begin, begin + SPREAD)));
  }
  return parts.join("");
}
