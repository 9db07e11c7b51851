import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { selectGreedily } from "./select-greedily.ts";

const EXAMPLES = 5;
const CLASSES = 3;

/** Predictions of a few networks, and labels. */
const tasks = fc.record({
  pool: fc.array(
    fc
      .array(fc.double({ min: -4, max: 4, noNaN: true }), {
        minLength: EXAMPLES * CLASSES,
        maxLength: EXAMPLES * CLASSES,
      })
      .map((logits) => {
        const powers = logits.map(Math.exp);
        const totals = Array.from({ length: EXAMPLES }, (_, i) =>
          powers.slice(CLASSES * i, CLASSES * (i + 1)).reduce((a, b) => a + b),
        );
        const rows = powers.map((power, k) => power / (totals[Math.floor(k / CLASSES)] ?? 1));
        return { probabilities: Float64Array.from(rows), classes: CLASSES };
      }),
    { minLength: 1, maxLength: 6 },
  ),
  labels: fc
    .array(fc.nat(CLASSES - 1), { minLength: EXAMPLES, maxLength: EXAMPLES })
    .map((labels) => Int32Array.from(labels)),
  diversity: fc.double({ min: 0, max: 20, noNaN: true }),
});

const row = (...rows: number[][]) => ({ probabilities: Float64Array.from(rows.flat()), classes: 2 });

describe("selectGreedily()", () => {
  it("never lets the likelihood of the ensemble fall, and chooses each network at most once", () => {
    fc.assert(
      fc.property(tasks, ({ pool, labels, diversity }) => {
        const chosen = selectGreedily(pool, labels, { diversity, members: pool.length });
        chosen.slice(1).forEach(({ ensembleNll }, i) => {
          expect(ensembleNll).toBeLessThanOrEqual(chosen[i]?.ensembleNll ?? 0);
        });
        expect(new Set(chosen.map(({ index }) => index)).size).toBe(chosen.length);
        expect(chosen.length).toBeGreaterThan(0);
      }),
    );
  });

  it("starts with the network of the best likelihood, and says the ensemble's likelihood as it is", () => {
    fc.assert(
      fc.property(tasks, ({ pool, labels, diversity }) => {
        const [first, ...others] = selectGreedily(pool, labels, { diversity, members: pool.length });
        const nllOf = (members: readonly number[]) =>
          labels.reduce((sum, label, i) => {
            const mean =
              members.reduce((total, m) => total + (pool[m]?.probabilities[i * CLASSES + label] ?? 0), 0) /
              members.length;
            return sum - Math.log(mean) / EXAMPLES;
          }, 0);
        const best = Math.min(...pool.map((_, i) => nllOf([i])));
        expect(first?.nll).toBeCloseTo(best, 10);
        const all = [first, ...others].map((choice) => choice?.index ?? -1);
        expect([first, ...others].at(-1)?.ensembleNll).toBeCloseTo(nllOf(all), 10);
      }),
    );
  });

  it("prefers a network that differs to a better one that does not, the more diversity counts", () => {
    const first = row([0.9, 0.1], [0.6, 0.4]);
    const near = row([0.7, 0.3], [0.76, 0.24]);
    const far = row([0.5, 0.5], [0.99, 0.01]);
    const order = (diversity: number) =>
      selectGreedily([first, near, far], Int32Array.of(0, 0), { diversity, members: 2 }).map(
        ({ index }) => index,
      );
    expect(order(0)).toEqual([0, 1]);
    expect(order(5)).toEqual([0, 2]);
  });

  test.each<readonly [string, () => unknown, RegExp]>([
    ["no networks", () => selectGreedily([], Int32Array.of(0)), /at least one: there are none/],
    [
      "diversity below 0",
      () => selectGreedily([row([1, 0])], Int32Array.of(0), { diversity: -1 }),
      /"diversity" must be/,
    ],
    [
      "no members",
      () => selectGreedily([row([1, 0])], Int32Array.of(0), { members: 0 }),
      /"members" must be/,
    ],
    [
      "labels of others",
      () => selectGreedily([row([1, 0])], Int32Array.of(0, 1)),
      /a row of 2 probabilities/,
    ],
    ["NaN", () => selectGreedily([row([Number.NaN, 0])], Int32Array.of(1)), /one of network 0 is NaN/],
    [
      "other classes",
      () =>
        selectGreedily(
          [row([1, 0]), { probabilities: Float64Array.of(1, 0, 0), classes: 3 }],
          Int32Array.of(0),
        ),
      /network 1 has 3, the first 2/,
    ],
  ])("refuses %s", (_, choose, message) => {
    expect(choose).toThrow(message);
  });
});
