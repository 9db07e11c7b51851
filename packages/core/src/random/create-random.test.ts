import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "./create-random.ts";

describe("createRandom()", () => {
  it("gives the same numbers for the same seed and label, others for others", () => {
    const draw = (seed: number, label?: string) => {
      const random = createRandom(seed, label);
      return Array.from({ length: 8 }, () => random.uniform());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7, "a")).not.toEqual(draw(7, "b"));
    expect(draw(7)).not.toEqual(draw(7 + 2 ** 32));
  });

  it("is uniform and normal to within sampling error", () => {
    const random = createRandom(1);
    const n = 100_000;
    let uniform = 0;
    let normal = 0;
    let square = 0;
    for (let i = 0; i < n; i++) {
      uniform += random.uniform();
      const z = random.normal();
      normal += z;
      square += z * z;
    }
    // Five standard errors.
    expect(Math.abs(uniform / n - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(normal / n)).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(square / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  });

  it("shuffles to a permutation", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(200), (seed, n) => {
        const items = createRandom(seed).shuffleInPlace(Int32Array.from({ length: n }, (_, i) => i));
        expect([...items].sort((x, y) => x - y)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it("refuses a seed that is not a whole number of at least 0", () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => createRandom(seed)).toThrow(RangeError);
  });
});
