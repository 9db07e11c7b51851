import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stripes } from "../../../../test/helpers/stripes.ts";
import { weighExamples } from "./weigh-examples.ts";

const data = stripes(12);
const shares = fc
  .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 24, maxLength: 24 })
  .map((values) => {
    const sum = values.reduce((total, value) => total + value, 0);
    return Float64Array.from(values, (value) => value / sum);
  });

describe("weighExamples()", () => {
  it("has each example as often as its weight says, up to one, and other labels where they count", () => {
    const otherLabels = Int32Array.from({ length: 12 }, (_, i) => (i + 1) % 3);
    fc.assert(
      fc.property(shares, fc.integer({ min: 1, max: 200 }), (weights, size) => {
        const weighed = weighExamples(data, { weights, otherLabels, size });
        const { labels } = weighed.read(0, size);
        const counts = [0, 1, 2].map((label) => labels.filter((one) => one === label).length);
        const own = data.read(0, 12).labels;
        const expected = [0, 1, 2].map((label) =>
          weights.reduce(
            (sum, w, i) => sum + ((i < 12 ? own[i] : otherLabels[i - 12]) === label ? w * size : 0),
            0,
          ),
        );
        expect(weighed.size).toBe(size);
        counts.forEach((count, label) => {
          expect(Math.abs(count - (expected[label] ?? 0))).toBeLessThanOrEqual(12);
        });
      }),
    );
  });

  it("is the data set itself, repeated, where all weigh the same", () => {
    const weights = new Float64Array(12).fill(1 / 12);
    const weighed = weighExamples(data, { weights, size: 24 });
    const { inputs, labels } = weighed.read(0, 24);
    const plain = data.read(0, 12);
    expect([...labels].filter((_, i) => i % 2 === 0)).toEqual([...plain.labels]);
    expect(inputs.data.subarray(32, 48)).toEqual(plain.inputs.data.subarray(16, 32));
    const gathered = weighed.gatherInto?.(Uint32Array.of(23, 0), weighed.read(0, 2));
    expect([...(gathered?.labels ?? [])]).toEqual([plain.labels[11], plain.labels[0]]);
  });

  it("refuses weights that are no shares of the examples", () => {
    const equal = new Float64Array(12).fill(1 / 12);
    expect(() => weighExamples(data, { weights: equal.subarray(1), size: 5 })).toThrow(/there are 11 for 12/);
    expect(() => weighExamples(data, { weights: equal.map((w) => 2 * w), size: 5 })).toThrow(
      /their sum is 2/,
    );
    expect(() => weighExamples(data, { weights: equal, size: 5 }).read(0, 6)).toThrow(
      /must be within it: it has 5/,
    );
  });
});
