import { createHash } from "node:crypto";
import { createBytesSource } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { digestReads } from "./digested-source.ts";

const content = Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * 31 + (i >> 9)) % 251);
const hash = createHash("sha256").update(content).digest("hex");
const place = fc.integer({ min: 0, max: content.length });

test("digestReads() digests all bytes, in whatever order and however often they were read before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(place, fc.nat(300_000)), { maxLength: 8 }), async (reads) => {
      const source = digestReads(createBytesSource(content));
      for (const [begin, length] of reads) {
        const end = Math.min(begin + length, content.length);
        expect(Buffer.compare(await source.read(begin, end), content.subarray(begin, end))).toBe(0);
      }
      expect(await source.digest()).toBe(hash);
    }),
    { numRuns: 20 },
  );
});

test("digestReads() reads bytes once if they are read in their order, but for what lies between", async () => {
  const bytes = createBytesSource(content);
  let read = 0;
  const counted = {
    ...bytes,
    readInto: async (begin: number, out: Uint8Array): Promise<void> => {
      read += out.length;
      await bytes.readInto(begin, out);
    },
  };
  const source = digestReads(counted);
  for (let begin = 0; begin < content.length; begin += 1e6) await source.read(begin + 10, begin + 1e6);
  expect(await source.digest()).toBe(hash);
  expect(read).toBe(content.length);
});
