import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlobReader } from "./blob-reader.ts";

const SIZE = 30_000_000;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 2_654_435_761) >>> 13);

/** Counts what is read of a file. */
function countedBlob(): { readonly blob: Blob; readonly parts: number[] } {
  const blob = new Blob([content]);
  const parts: number[] = [];
  const slice = blob.slice.bind(blob);
  blob.slice = (begin = 0, end = SIZE) => {
    parts.push(Math.min(end, SIZE) - begin);
    return slice(begin, end);
  };
  return { blob, parts };
}

describe("BlobReader", () => {
  it("reads what is there, small parts and large ones in any order, and none beyond the end", async () => {
    const ranges = fc.array(
      fc.tuple(fc.nat({ max: SIZE }), fc.oneof(fc.nat({ max: 9000 }), fc.nat({ max: 3_000_000 }))),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(ranges, fc.boolean(), async (list, atOnce) => {
        const reader = new BlobReader(new Blob([content]));
        const read = ([begin, length]: readonly [number, number]) => reader.read(begin, begin + length);
        const parts = atOnce ? await Promise.all(list.map(read)) : [];
        for (const [i, [begin, length]] of list.entries()) {
          const bytes = parts[i] ?? (await read([begin, length]));
          expect(Buffer.compare(bytes, content.subarray(begin, begin + length))).toBe(0);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("reads a file of which a row in four is sampled by few large parts, and one row alone by itself", async () => {
    const { blob, parts } = countedBlob();
    const reader = new BlobReader(blob);
    await reader.read(20_000_000, 20_008_192);
    expect(parts).toEqual([8192]);
    const rows = Array.from({ length: Math.floor(SIZE / 32_768) }, (_, i) => i * 32_768);
    await Promise.all(rows.map((begin) => reader.read(begin, begin + 8192)));
    expect(parts.length).toBeLessThan(2 + 2 * Math.ceil(SIZE / 2 ** 22) + 1);
  });
});
