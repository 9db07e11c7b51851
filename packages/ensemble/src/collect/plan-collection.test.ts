import { learningRateAt } from "@isthmus/training";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  COLLECT_METHODS,
  COLLECT_RATES,
  type CollectMethod,
  type CollectRates,
  planCollection,
} from "./plan-collection.ts";

const plans = fc
  .record({
    method: fc.constantFrom(...COLLECT_METHODS),
    epochs: fc.integer({ min: 1, max: 30 }),
    stepsPerEpoch: fc.integer({ min: 8, max: 60 }),
    low: fc.boolean(),
    cycle: fc.constantFrom(0.25, 0.5, 1, 2, 3),
  })
  .filter(({ epochs, cycle }) => cycle <= epochs)
  .map(({ method, epochs, stepsPerEpoch, low, cycle }) => ({
    method,
    total: epochs * stepsPerEpoch,
    rates: {
      epochs,
      cycle,
      learningRate: 0.1,
      lowRate: method === "fge" || (low && method === "swa") ? 0.001 : undefined,
    },
  }));

describe("planCollection()", () => {
  it("collects after different steps within the training, one a cycle", () => {
    fc.assert(
      fc.property(plans, ({ method, rates, total }) => {
        const { steps } = planCollection(method, rates, total);
        expect(new Set(steps).size).toBe(steps.length);
        expect(steps.every((step) => Number.isInteger(step) && step >= 1 && step <= total)).toBe(true);
        const count = rates.epochs / rates.cycle;
        expect(Math.abs(steps.length - count)).toBeLessThan(1);
      }),
    );
  });

  it("collects where the rate of cycles is lowest, right after a step at that rate", () => {
    fc.assert(
      fc.property(plans, ({ method, rates, total }) => {
        const { steps, schedule } = planCollection(method, rates, total);
        for (const step of steps) {
          const rate = learningRateAt(schedule, step - 1, total);
          expect(rate).toBeCloseTo(rates.lowRate ?? rates.learningRate, 12);
        }
      }),
    );
  });

  it("has the steps and rates of the papers", () => {
    expect(planCollection("lgv", COLLECT_RATES.lgv, 400).steps).toEqual(
      Array.from({ length: 40 }, (_, i) => 10 * (i + 1)),
    );
    expect(planCollection("swa", COLLECT_RATES.swa, 80).steps).toEqual([
      8, 16, 24, 32, 40, 48, 56, 64, 72, 80,
    ]);
    const { steps, schedule } = planCollection("fge", COLLECT_RATES.fge, 200);
    expect(steps).toEqual([20, 60, 100, 140, 180]);
    // Garipov et al., section 4: t(i) = (mod(i - 1, c) + 1) / c with i from 1.
    const rates = Array.from({ length: 200 }, (_, step) => learningRateAt(schedule, step, 200));
    rates.forEach((rate, k) => {
      const t = ((k % 40) + 1) / 40;
      const expected = t <= 0.5 ? (1 - 2 * t) * 0.05 + 2 * t * 1e-4 : (2 - 2 * t) * 1e-4 + (2 * t - 1) * 0.05;
      expect(rate).toBeCloseTo(expected, 12);
    });
    // Izmailov et al., section 3.1, falls in each cycle and starts anew.
    const falling = planCollection("swa", { ...COLLECT_RATES.swa, lowRate: 0.01, cycle: 2 }, 40);
    expect(falling.steps).toEqual([8, 16, 24, 32, 40]);
    expect(learningRateAt(falling.schedule, 0, 40)).toBeCloseTo((7 / 8) * 0.05 + 0.01 / 8, 12);
    expect(learningRateAt(falling.schedule, 8, 40)).toBeCloseTo((7 / 8) * 0.05 + 0.01 / 8, 12);
  });

  test.each<readonly [CollectMethod, Partial<CollectRates>, RegExp]>([
    ["ema" as never, {}, /one of swa, fge, lgv: it is "ema"/],
    ["lgv", { lowRate: 0.01 }, /by lgv with "lowRate"/],
    ["fge", { lowRate: undefined }, /by fge as its rate falls and rises: give "lowRate"/],
    ["swa", { lowRate: 0.1 }, /"lowRate" must be from 0 to the learning rate, 0.05: it is 0.1/],
    ["swa", { epochs: 0 }, /"epochs" must be a whole number/],
    ["swa", { cycle: 0 }, /"cycle" must be a number of more than 0/],
    ["swa", { cycle: 11 }, /a cycle must have at least a step and fit the training: it is of 11 epochs/],
    ["lgv", { cycle: 0.001 }, /0.0100 steps of 100; choose smaller batches/],
    ["fge", { cycle: 0.1, lowRate: 1e-3, epochs: 10 }, /at least two steps/],
  ])("refuses %s with %o", (method, change, message) => {
    const rates = { ...(COLLECT_RATES[method] ?? COLLECT_RATES.swa), ...change };
    expect(() => planCollection(method, rates, 100)).toThrow(message);
  });
});
