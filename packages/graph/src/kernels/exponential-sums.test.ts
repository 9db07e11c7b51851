import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowsAtATime, sumExponentials, sumPlainly } from "./exponential-sums.ts";

/** Scores rows both ways: by WebAssembly, and by plain loops with `Math.exp`. */
function bothWays(logits: Float32Array, classes: number, scale: number) {
  return [sumExponentials(logits, classes, scale), sumPlainly(logits, classes, scale)] as const;
}

/** Logits of any kind: of usual size, of any bit pattern, zeros of both signs, infinities and NaN. */
const logit = fc.oneof(
  fc.float({ min: -20, max: 20, noNaN: true }),
  fc.float(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);

describe("sumExponentials()", () => {
  it("gives the bits of plain loops for rows of any numbers, widths and scales", () => {
    const table = fc.integer({ min: 1, max: 11 }).chain((classes) =>
      fc.record({
        classes: fc.constant(classes),
        rows: fc.array(fc.array(logit, { minLength: classes, maxLength: classes }), {
          minLength: 1,
          maxLength: 6,
        }),
        scale: fc.oneof(fc.constant(1), fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
      }),
    );
    fc.assert(
      fc.property(table, ({ classes, rows, scale }) => {
        const [simd, plain] = bothWays(Float32Array.from(rows.flat()), classes, scale);
        expect(simd).toEqual(plain);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives the bits of Math.exp for differences of every size, down to where it is 0", () => {
    const logits = new Float32Array(2 * 40_000);
    for (let i = 1; i < logits.length; i += 2) logits[i] = -(10 ** (-12 + (i / logits.length) * 15));
    const [simd, plain] = bothWays(logits, 2, 1);
    expect(simd.sums).toEqual(plain.sums);
  });

  it("sums rows that are too long for the memory of kernels", () => {
    const classes = 2 ** 18;
    expect(rowsAtATime(classes)).toBe(1);
    const logits = Float32Array.from({ length: classes }, (_, c) => Math.sin(c));
    const [simd, plain] = bothWays(logits, classes, 1);
    expect(simd).toEqual(plain);
  });
});
