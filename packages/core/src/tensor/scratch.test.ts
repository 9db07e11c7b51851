import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blendInto, lerpInto } from "./blend.ts";
import { convertInto } from "./convert.ts";
import type { Elements } from "./elements.ts";
import { dot, findNonFinite } from "./measure.ts";
import { borrowScratch } from "./scratch.ts";
import { viewBytes, viewData } from "./tensor.ts";

const TYPES = ["f32", "f16", "bf16", "f8e4m3", "f8e5m2"] as const;

function hex({ data }: Elements): string {
  return Buffer.from(viewBytes(data)).toString("hex");
}

describe("borrowScratch()", () => {
  it("lends aligned memory, and the same again once it is given back", () => {
    const first = borrowScratch(100);
    const second = borrowScratch(100);
    expect(first.bytes).toHaveLength(100);
    expect(first.bytes.byteOffset % 16).toBe(0);
    const overlap =
      first.bytes.buffer === second.bytes.buffer && first.bytes.byteOffset === second.bytes.byteOffset;
    expect(overlap).toBe(false);
    const place = second.bytes.byteOffset;
    second.release();
    const third = borrowScratch(2 ** 20);
    expect(third.bytes.byteOffset).toBe(place);
    third.release();
    first.release();
  });

  it("falls back on ordinary memory when there is none left, or not as much", () => {
    const lent = Array.from({ length: 40 }, () => borrowScratch(8));
    expect(new Set(lent.map(({ bytes }) => bytes.buffer)).size).toBe(9);
    for (const scratch of lent) scratch.release();
    const large = borrowScratch(2 ** 20 + 1);
    expect(large.bytes).toHaveLength(2 ** 20 + 1);
    large.release();
  });

  it("changes no result: not by where arrays are, how long, or which is written over", () => {
    const lent = Array.from({ length: 3 }, () => borrowScratch(2 ** 18));
    fc.assert(
      fc.property(
        fc.record({
          types: fc.array(fc.constantFrom(...TYPES), { minLength: 3, maxLength: 3 }),
          length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 16_370, max: 33_000 })),
          shift: fc.integer({ min: 0, max: 5 }),
          target: fc.constantFrom("a", "b", "apart"),
          seed: fc.integer(),
        }),
        ({ types, length, shift, target, seed }) => {
          // Random bits; the second copy lies in lent memory, from some element on.
          const [plain, placed] = [0, 1].map((copy) => {
            let state = seed;
            return types.map((dtype, k) => {
              const width = dtype === "f32" ? 4 : dtype.startsWith("f8") ? 1 : 2;
              const whole = copy === 0 ? new Uint8Array(length * width) : lent[k]!.bytes;
              const bytes = copy === 0 ? whole : whole.subarray(shift * width, (shift + length) * width);
              for (let i = 0; i < bytes.length; i++) {
                state = (Math.imul(state, 1664525) + 1013904223) | 0;
                bytes[i] = state >>> 24;
              }
              return { dtype, data: viewData(dtype, bytes) };
            });
          }) as [Elements[], Elements[]];
          for (const operation of [
            ([a, b]: Elements[], out: Elements) => lerpInto(a!, b!, 0.3, out),
            ([a, b]: Elements[], out: Elements) => blendInto([a!, b!], [0.3, 0.7], out),
            ([a]: Elements[], out: Elements) => convertInto(a!, out),
          ]) {
            const results = [plain, placed].map((elements) => {
              const out = elements[target === "a" ? 0 : target === "b" ? 1 : 2]!;
              operation(elements, out);
              return `${hex(out)} ${dot(elements[0]!, elements[1]!)} ${findNonFinite(out)}`;
            });
            expect(results[0]).toBe(results[1]);
          }
        },
      ),
      { numRuns: 60 },
    );
    for (const scratch of lent) scratch.release();
  });
});
