import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossEntropyInto } from "./cross-entropy.ts";

/** Losses and hits of rows of logits. */
function crossEntropy(rows: readonly (readonly number[])[], labels: readonly number[]) {
  const losses = new Float64Array(rows.length);
  const right = new Float64Array(rows.length);
  crossEntropyInto(Float32Array.from(rows.flat()), Int32Array.from(labels), { losses, right, begin: 0 });
  return { losses: [...losses], right: [...right] };
}

describe("crossEntropyInto()", () => {
  it("is the plain formula", () => {
    const row = fc.array(fc.float({ noNaN: true, min: -20, max: 20 }), { minLength: 3, maxLength: 3 });
    const example = fc.tuple(row, fc.nat({ max: 2 }));
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 5 }), (examples) => {
        const rows = examples.map(([logits]) => logits);
        const labels = examples.map(([, label]) => label);
        const { losses, right } = crossEntropy(rows, labels);
        rows.forEach((logits, i) => {
          const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
          const plain = -Math.log(Math.exp(logits[labels[i]!]!) / total);
          // Cancellation against the maximum, of at most 20, costs a few ulp of it.
          expect(losses[i]).toBeCloseTo(plain, 12);
          expect(right[i]).toBe(logits.indexOf(Math.max(...logits)) === labels[i] ? 1 : 0);
        });
      }),
    );
  });

  it("does not overflow", () => {
    const { losses } = crossEntropy(
      [
        [3e38, 0],
        [-3e38, -3e38],
        [1000, 0],
      ],
      [0, 1, 1],
    );
    expect(losses).toEqual([0, Math.log(2), 1000]);
  });

  it("takes the first of equal maxima for the answer", () => {
    const rows = [
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 0],
    ];
    expect(crossEntropy(rows, [0, 1, 0]).right).toEqual([1, 0, 1]);
  });

  it("counts an example with a NaN anywhere as wrong, with a loss of NaN", () => {
    const rows = [
      [Number.NaN, 1, 0],
      [1, Number.NaN, 0],
      [0, 1, Number.NaN],
    ];
    expect(crossEntropy(rows, [1, 0, 1])).toEqual({ losses: [NaN, NaN, NaN], right: [0, 0, 0] });
  });

  it("gives an impossible class an infinite loss", () => {
    const impossible = [0, Number.NEGATIVE_INFINITY];
    expect(crossEntropy([impossible, impossible], [0, 1])).toEqual({
      losses: [0, Number.POSITIVE_INFINITY],
      right: [1, 0],
    });
  });

  it("writes from where it is told", () => {
    const losses = new Float64Array(3).fill(-1);
    const right = new Float64Array(3).fill(9);
    crossEntropyInto(Float32Array.of(0, 0), Int32Array.of(0), { losses, right, begin: 1 });
    expect([...losses]).toEqual([-1, Math.log(2), -1]);
    expect([...right]).toEqual([9, 1, 9]);
  });
});
