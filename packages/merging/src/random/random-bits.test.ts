import { describe, expect, test } from "vitest";
import { randomBitsInto } from "./random-bits.ts";
import { deriveStreamKey, type StreamPlace } from "./stream-key.ts";

const PLACE: StreamPlace = { seed: 1, tensor: "model.layers.0.mlp.up_proj.weight", network: 0 };

const draw = (place: Partial<StreamPlace>, count: number, begin = 0): Uint32Array =>
  randomBitsInto(deriveStreamKey({ ...PLACE, ...place }), begin, new Uint32Array(count));

/** Chi-squared of counts that should all be equal, as a number of standard deviations from its mean. */
function deviation(counts: Uint32Array, draws: number): number {
  const expected = draws / counts.length;
  let chi = 0;
  for (const count of counts) chi += (count - expected) ** 2 / expected;
  const freedom = counts.length - 1;
  return (chi - freedom) / Math.sqrt(2 * freedom);
}

const DRAWS = 1 << 20;

describe("randomBitsInto", () => {
  test.each([24, 16, 8, 0])("gives each value of the 8 bits from bit %i equally often", (shift) => {
    const counts = new Uint32Array(256);
    for (const bits of draw({}, DRAWS)) counts[(bits >>> shift) & 255]!++;
    expect(Math.abs(deviation(counts, DRAWS))).toBeLessThan(4);
  });

  test.each([1, 2, 3, 7, 64, 4096])("gives numbers %i apart that are independent", (lag) => {
    const bits = draw({}, DRAWS + lag);
    for (const shift of [26, 0]) {
      const counts = new Uint32Array(4096);
      for (let i = 0; i < DRAWS; i++) {
        counts[((bits[i]! >>> shift) & 63) * 64 + ((bits[i + lag]! >>> shift) & 63)]!++;
      }
      expect(Math.abs(deviation(counts, DRAWS))).toBeLessThan(4.5);
    }
  });

  test.each([
    ["networks", { network: 1 }],
    ["seeds", { seed: 2 }],
    ["seeds that differ far up", { seed: 1 + 2 ** 40 }],
    ["tensors", { tensor: "model.layers.1.mlp.up_proj.weight" }],
  ])("gives streams of other %s that are independent", (_name, place) => {
    const [left, right] = [draw({}, DRAWS), draw(place, DRAWS)];
    for (const shift of [26, 0]) {
      const counts = new Uint32Array(4096);
      for (let i = 0; i < DRAWS; i++) {
        counts[((left[i]! >>> shift) & 63) * 64 + ((right[i]! >>> shift) & 63)]!++;
      }
      expect(Math.abs(deviation(counts, DRAWS))).toBeLessThan(4.5);
    }
  });

  test("changes half of the bits wherever the position changes in one", () => {
    const key = deriveStreamKey(PLACE);
    const single = (position: number) => randomBitsInto(key, position, new Uint32Array(1))[0]!;
    for (let bit = 0; bit < 40; bit++) {
      let changed = 0;
      for (let i = 0; i < 2000; i++) {
        const position = i * 7919;
        const flipped = Math.floor(position / 2 ** bit) % 2 === 0 ? position + 2 ** bit : position - 2 ** bit;
        let difference = (single(position) ^ single(flipped)) >>> 0;
        for (; difference !== 0; difference &= difference - 1) changed++;
      }
      // 64000 fair bits have a standard deviation of 126.
      expect(Math.abs(changed - 32_000)).toBeLessThan(800);
    }
  });

  test("has runs of kept elements as long as fair draws have", () => {
    const limit = 0.3 * 2 ** 32;
    const lengths = new Uint32Array(6);
    let run = 0;
    let runs = 0;
    for (const bits of draw({}, DRAWS)) {
      if (bits < limit) run++;
      else if (run > 0) {
        lengths[Math.min(run, 6) - 1]!++;
        runs++;
        run = 0;
      }
    }
    for (let length = 1; length <= 5; length++) {
      const expected = runs * 0.7 * 0.3 ** (length - 1);
      expect(Math.abs(lengths[length - 1]! - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  test("gives the same bits however positions are cut, also beyond 2^32", () => {
    for (const begin of [0, 12_345, 2 ** 32 - 50, 2 ** 33 - 1]) {
      const whole = draw({}, 100, begin);
      for (const cut of [0, 1, 49, 50, 51, 99]) {
        expect([...draw({}, cut, begin), ...draw({}, 100 - cut, begin + cut)]).toEqual([...whole]);
      }
    }
    expect(draw({}, 4, 2 ** 32)).not.toEqual(draw({}, 4, 0));
  });

  test("keeps its numbers from one version to the next", () => {
    expect([...draw({}, 4)]).toEqual([...draw({}, 4)]);
    expect([...draw({}, 3), ...draw({ network: 3 }, 1)]).toMatchInlineSnapshot(`
      [
        1579591152,
        1483043279,
        733284614,
        266708777,
      ]
    `);
  });

  test("refuses seeds that are no whole numbers", () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => deriveStreamKey({ ...PLACE, seed })).toThrow(/Cannot draw random numbers for "model.*"/);
    }
  });
});
