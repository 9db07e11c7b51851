import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossEntropyInto } from "./cross-entropy.ts";
import { fitTemperature, type LabelledLogits, TEMPERATURE_RANGE } from "./fit-temperature.ts";

const CLASSES = 3;

/** Mean loss of rows at a temperature. */
function lossAt({ logits, labels }: LabelledLogits, temperature: number): number {
  const out = { losses: new Float64Array(labels.length), right: new Float64Array(labels.length), begin: 0 };
  crossEntropyInto(logits, labels, out, temperature);
  return out.losses.reduce((sum, loss) => sum + loss, 0) / labels.length;
}

/** Steps of 1/64, so that sums and multiples are exact. */
const logit = fc.integer({ min: -512, max: 512 }).map((steps) => steps / 64);
const rows = fc
  .array(
    fc.record({
      logits: fc.array(logit, { minLength: CLASSES, maxLength: CLASSES }),
      label: fc.nat({ max: CLASSES - 1 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((examples) => ({
    logits: Float32Array.from(examples.flatMap(({ logits }) => logits)),
    labels: Int32Array.from(examples, ({ label }) => label),
  }));

describe("fitTemperature()", () => {
  it("has a loss that no other temperature is below, nor none at all", () => {
    fc.assert(
      fc.property(rows, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (batch, other) => {
        const temperature = fitTemperature([batch]);
        expect(temperature).toBeGreaterThanOrEqual(TEMPERATURE_RANGE.low);
        expect(temperature).toBeLessThanOrEqual(TEMPERATURE_RANGE.high);
        const loss = lossAt(batch, temperature);
        expect(loss).toBeLessThanOrEqual(lossAt(batch, 1) + 1e-12);
        expect(loss).toBeLessThanOrEqual(lossAt(batch, other) + 1e-12);
      }),
    );
  });

  it("is 1 where labels occur as often as the softmax says", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: CLASSES, maxLength: CLASSES });
    // Equal counts say nothing: every temperature is right for them.
    const told = fc
      .array(counts, { minLength: 1, maxLength: 6 })
      .filter((all) => all.some((row) => new Set(row).size > 1));
    fc.assert(
      fc.property(told, (all) => {
        const repeated = all.flatMap((row) => row.map((count, label) => ({ row, count, label })));
        const calibrated = {
          logits: Float32Array.from(repeated.flatMap(({ row }) => row.map(Math.log))),
          labels: Int32Array.from(repeated, ({ label }) => label),
          weights: repeated.map(({ row, count }) => count / row.reduce((sum, n) => sum + n, 0)),
        };
        // Logits are rounded to f32; where counts are nearly equal that weighs most.
        expect(fitTemperature([calibrated])).toBeCloseTo(1, 4);
      }),
    );
  });

  it("grows with the logits, and does not change with what all classes of a row have in common", () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(0.25, 2, 8), (batch, factor) => {
        const temperature = fitTemperature([batch]);
        fc.pre(temperature > 0.01 && temperature < 100);
        // Every temperature is right for rows of equal logits.
        fc.pre(lossAt(batch, 1) !== lossAt(batch, 2));
        const scaled = { ...batch, logits: batch.logits.map((logit) => factor * logit) };
        const moved = { ...batch, logits: batch.logits.map((logit) => logit + 16) };
        expect(fitTemperature([scaled]) / (factor * temperature)).toBeCloseTo(1, 6);
        expect(fitTemperature([moved])).toBe(temperature);
      }),
    );
  });

  it("counts rows by their weights, wherever they are, and leaves out those without a label", () => {
    fc.assert(
      fc.property(rows, rows, (one, two) => {
        const both = {
          logits: Float32Array.of(...one.logits, ...two.logits, ...two.logits, 9, -9, 0),
          labels: Int32Array.of(...one.labels, ...two.labels, ...two.labels, -1),
        };
        const weighted = [one, { ...two, weights: new Array(two.labels.length).fill(2) }];
        const temperature = fitTemperature([both]);
        const other = fitTemperature(weighted);
        // Of a loss that is nearly flat the minimum is not sharp.
        expect(lossAt(both, other)).toBeCloseTo(lossAt(both, temperature), 12);
      }),
    );
  });

  it("ends at an end of the range where there is no minimum", () => {
    const logits = Float32Array.of(1, 0, 0, 2);
    expect(fitTemperature([{ logits, labels: Int32Array.of(0, 1) }])).toBe(TEMPERATURE_RANGE.low);
    expect(fitTemperature([{ logits, labels: Int32Array.of(1, 0) }])).toBe(TEMPERATURE_RANGE.high);
    expect(fitTemperature([{ logits: new Float32Array(4), labels: Int32Array.of(0, 1) }])).toBe(1);
  });

  it("passes over classes that are ruled out, and does not hide a NaN", () => {
    const plain = { logits: Float32Array.of(2, 0, 2, 0), labels: Int32Array.of(0, 1) };
    const ruledOut = {
      logits: Float32Array.of(2, 0, Number.NEGATIVE_INFINITY, 2, 0, Number.NEGATIVE_INFINITY),
      labels: plain.labels,
    };
    expect(fitTemperature([ruledOut])).toBe(fitTemperature([plain]));
    expect(fitTemperature([{ logits: Float32Array.of(1, Number.NaN), labels: Int32Array.of(0) }])).toBeNaN();
  });
});
