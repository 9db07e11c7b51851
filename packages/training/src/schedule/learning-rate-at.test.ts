import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { learningRateAt } from "./learning-rate-at.ts";
import type { ScheduleSpec } from "./schedule-spec.ts";

const rates = fc.double({ min: 1e-6, max: 10, noNaN: true });
const schedules: fc.Arbitrary<ScheduleSpec> = fc
  .tuple(
    fc.oneof(
      fc.record({ kind: fc.constant("constant" as const), learningRate: rates }),
      fc.record({ kind: fc.constant("cosine" as const), learningRate: rates }),
      fc.record({
        kind: fc.constant("one-cycle" as const),
        learningRate: rates,
        rise: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({
        kind: fc.constant("step" as const),
        learningRate: rates,
        every: fc.integer({ min: 1, max: 9 }),
      }),
    ),
    fc.record({ warmupSteps: fc.nat(20), warmupFrom: fc.double({ min: 0.001, max: 1, noNaN: true }) }),
  )
  .map(([schedule, warmup]) => ({ ...schedule, ...warmup }));

describe("learningRateAt()", () => {
  test("stays between 0 and the learning rate, also before the warm-up and after the end", () => {
    fc.assert(
      fc.property(schedules, fc.nat(60), fc.integer({ min: 1, max: 40 }), (schedule, step, total) => {
        const rate = learningRateAt(schedule, step, total);
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual(schedule.learningRate * (1 + 1e-12));
      }),
    );
  });

  test("rises in warm-up and ends where the schedule begins", () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: 1, max: 10 }), (schedule, warmupSteps) => {
        const at = (step: number) => learningRateAt({ ...schedule, warmupSteps }, step, 40);
        for (let step = 1; step <= warmupSteps; step++) {
          expect(at(step)).toBeGreaterThanOrEqual(at(step - 1) * (1 - 1e-12));
        }
        const begins = learningRateAt({ ...schedule, warmupSteps: 0 }, 0, 40 - warmupSteps);
        expect(at(warmupSteps)).toBeCloseTo(begins, 12);
      }),
    );
  });

  test("stays as it is at the end", () => {
    const cosine: ScheduleSpec = { kind: "cosine", learningRate: 1, finalRate: 0.25 };
    expect(learningRateAt(cosine, 10, 10)).toBe(0.25);
    expect(learningRateAt(cosine, 1000, 10)).toBe(0.25);
    const cycle: ScheduleSpec = { kind: "one-cycle", learningRate: 1 };
    expect(learningRateAt(cycle, 9, 10)).toBeCloseTo(4e-6, 12);
    expect(learningRateAt(cycle, 50, 10)).toBeCloseTo(4e-6, 12);
  });

  test("can be nothing but warm-up, or one step long", () => {
    expect(learningRateAt({ kind: "cosine", learningRate: 1, warmupSteps: 10 }, 3, 5)).toBeCloseTo(0.307, 12);
    expect(learningRateAt({ kind: "cosine", learningRate: 1 }, 0, 1)).toBe(1);
    expect(learningRateAt({ kind: "one-cycle", learningRate: 1 }, 0, 1)).toBeGreaterThan(0);
  });

  test.each<readonly [ScheduleSpec, RegExp]>([
    [{ kind: "constant", learningRate: 0 }, /"learningRate" must be a number of more than 0: it is 0/],
    [{ kind: "constant", learningRate: Number.NaN }, /constant schedule as "learningRate"/],
    [{ kind: "constant", learningRate: 1, warmupSteps: 1.5 }, /"warmupSteps" must be a whole number/],
    [{ kind: "constant", learningRate: 1, warmupFrom: 0 }, /"warmupFrom" must be a number in \(0, 1\]/],
    [{ kind: "cosine", learningRate: 1, finalRate: -1 }, /cosine schedule as "finalRate"/],
    [{ kind: "one-cycle", learningRate: 1, rise: 1.1 }, /"rise" must be a number in \[0, 1\]: it is 1.1/],
    [{ kind: "step", learningRate: 1, every: 0 }, /"every" must be a whole number of at least 1: it is 0/],
    [{ kind: "step", learningRate: 1 } as never, /"every" must be a whole number of at least 1: it is undef/],
    [
      { kind: "linear", learningRate: 1 } as never,
      /constant, cosine, one-cycle, step, triangular, sawtooth: it is "linear"/,
    ],
    [{ kind: "cosine", learningRate: 1, final: 0 } as never, /no option "final"/],
  ])("refuses %o", (schedule, message) => {
    expect(() => learningRateAt(schedule, 0, 10)).toThrow(message);
  });

  test("refuses steps that are none", () => {
    const schedule: ScheduleSpec = { kind: "constant", learningRate: 1 };
    expect(() => learningRateAt(schedule, -1, 10)).toThrow(/got step -1 of 10/);
    expect(() => learningRateAt(schedule, 0, 0)).toThrow(/got step 0 of 0/);
  });
});
