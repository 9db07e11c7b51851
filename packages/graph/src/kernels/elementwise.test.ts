import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ELEMENTWISE_LOSSES, type ElementwiseLossName } from "../scoring/elementwise-losses.ts";
import { elementwiseLossInto } from "./elementwise.ts";

/** Losses and shares of right numbers of rows of outputs. */
function score(
  kind: ElementwiseLossName,
  outputs: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
) {
  const losses = new Float64Array(outputs.length);
  const right = new Float64Array(outputs.length);
  const [numbers, compared] = [Float32Array.from(outputs.flat()), Float32Array.from(targets.flat())];
  const width = numbers.length / outputs.length;
  const out = { losses, right, begin: 0 };
  elementwiseLossInto({ outputs: numbers, targets: compared, width }, ELEMENTWISE_LOSSES[kind], out);
  return { losses: [...losses], right: [...right] };
}

const number = fc.float({ noNaN: true, min: -20, max: 20 });
const label = fc.constantFrom(0, 1);
const rowsOf = (target: fc.Arbitrary<number>) =>
  fc.array(fc.array(fc.tuple(number, target), { minLength: 3, maxLength: 3 }), {
    minLength: 1,
    maxLength: 5,
  });

describe("elementwiseLossInto()", () => {
  it.each<readonly [ElementwiseLossName, fc.Arbitrary<number>, (x: number, y: number) => number]>([
    ["mean-squared-error", number, (x, y) => (x - y) * (x - y)],
    ["mean-absolute-error", number, (x, y) => Math.max(x - y, y - x)],
    ["huber", number, (x, y) => (Math.abs(x - y) < 1 ? (x - y) ** 2 / 2 : Math.abs(x - y) - 0.5)],
    ["poisson", number, (x, y) => Math.exp(x) - y * x],
    [
      "binary-cross-entropy",
      label,
      (x, y) => -Math.log(y === 1 ? 1 / (1 + Math.exp(-x)) : 1 / (1 + Math.exp(x))),
    ],
  ])("is the mean of the plain formula of %s", (kind, target, plain) => {
    fc.assert(
      fc.property(rowsOf(target), (rows) => {
        const outputs = rows.map((row) => row.map(([x]) => x));
        const targets = rows.map((row) => row.map(([, y]) => y));
        const { losses, right } = score(kind, outputs, targets);
        rows.forEach((row, i) => {
          const mean = row.reduce((sum, [x, y]) => sum + plain(x, y), 0) / row.length;
          expect(Math.abs(losses[i]! - mean)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(mean)));
          const rightly = row.filter(([x, y]) => (y === 1 ? x > 0 : x <= 0)).length;
          const expected = kind === "binary-cross-entropy" ? rightly / row.length : Number.NaN;
          expect(right[i]).toEqual(expected);
        });
      }),
    );
  });

  it("leaves out numbers without a target", () => {
    fc.assert(
      fc.property(rowsOf(label), fc.constantFrom(...Object.keys(ELEMENTWISE_LOSSES)), (rows, kind) => {
        const loss = kind as ElementwiseLossName;
        const [outputs, targets] = [0, 1].map((of) => rows.map((row) => row.map((pair) => pair[of]!)));
        const without = (some: readonly (readonly number[])[]) => some.map((row) => row.slice(0, 2));
        const missing = without(targets!).map((row) => [...row, Number.NaN]);
        expect(score(loss, outputs!, missing)).toEqual(score(loss, without(outputs!), without(targets!)));
      }),
    );
  });

  it("does not overflow, and counts no NaN as right", () => {
    const { losses, right } = score(
      "binary-cross-entropy",
      [[3e38], [-3e38], [3e38], [Number.NaN]],
      [[1], [0], [0], [0]],
    );
    expect(losses).toEqual([0, 0, Math.fround(3e38), Number.NaN]);
    expect(right).toEqual([1, 1, 0, 0]);
  });

  it("agrees with cross-entropy of two logits, 0 and its own", () => {
    fc.assert(
      fc.property(number, label, (x, y) => {
        const [logit = 0] = Float32Array.of(x);
        const plain = Math.log(1 + Math.exp(logit)) - (y === 1 ? logit : 0);
        expect(score("binary-cross-entropy", [[x]], [[y]]).losses[0]).toBeCloseTo(plain, 12);
      }),
    );
  });
});
