import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epochOrderInto } from "../batches/create-batches.ts";
import { stepsUntil } from "../batches/epoch-steps.ts";
import { CURRICULUM_PACINGS, curriculumSize, resolveCurriculum } from "./curriculum.ts";
import { type CurriculumTraining, curriculumOrder, rankExamples } from "./curriculum-order.ts";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const pacing = fc.record({
  pacing: fc.constantFrom(...CURRICULUM_PACINGS),
  start: share.map((value) => Math.max(1e-3, value)),
  full: share,
});
const training: fc.Arbitrary<CurriculumTraining> = fc
  .record({
    examples: fc.integer({ min: 1, max: 40 }),
    batch: fc.integer({ min: 1, max: 8 }),
    epochs: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(),
    remainder: fc.constantFrom("carry" as const, "drop" as const),
  })
  .filter(({ examples, batch }) => batch <= examples);

/** The orders of all epochs, and of the one of which the last batch may take some. */
function ordersOf(
  order: (epoch: number, out: Uint32Array) => void,
  { examples, epochs }: CurriculumTraining,
) {
  return Array.from({ length: epochs + 1 }, (_, epoch) => {
    const out = new Uint32Array(examples);
    order(epoch, out);
    return [...out];
  });
}

const identity = (examples: number) => Uint32Array.from({ length: examples }, (_, i) => i);

describe("curriculumSize()", () => {
  it("curriculumSize() grows from the start to all examples, which it reaches in time", () => {
    fc.assert(
      fc.property(pacing, fc.integer({ min: 1, max: 1000 }), share, share, (pacing, examples, a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((at) =>
          curriculumSize(pacing, at, examples),
        );
        expect(early).toBeGreaterThanOrEqual(Math.max(1, Math.floor(pacing.start * examples)));
        expect(late).toBeGreaterThanOrEqual(early ?? Number.NaN);
        expect(late).toBeLessThanOrEqual(examples);
        expect(curriculumSize(pacing, pacing.full, examples)).toBe(examples);
      }),
    );
  });

  it("curriculumSize() counts whole shares in full", () => {
    const sizes = Array.from({ length: 100 }, (_, i) =>
      curriculumSize({ pacing: "step", start: (i + 1) / 100, full: 1 }, 0, 100),
    );
    expect(sizes).toEqual(sizes.map((_, i) => i + 1));
  });
});

describe("curriculumOrder()", () => {
  it("curriculumOrder() shows only the examples there are, each once before any again", () => {
    fc.assert(
      fc.property(pacing, training, (pacing, training) => {
        const { examples, batch, remainder } = training;
        const orders = ordersOf(curriculumOrder(pacing, identity(examples), training), training);
        const perEpoch = remainder === "drop" ? Math.floor(examples / batch) * batch : examples;
        orders.forEach((order, epoch) => {
          let seen = new Set<number>();
          order.forEach((example, place) => {
            const step = Math.floor((epoch * perEpoch + place) / batch);
            const size = curriculumSize(pacing, step / stepsUntil(training.epochs, training), examples);
            expect(example).toBeLessThan(size);
            if (seen.size === size) seen = new Set();
            expect(seen.has(example)).toBe(false);
            seen.add(example);
          });
        });
      }),
    );
  });

  it("curriculumOrder() of all examples is the order without a curriculum", () => {
    fc.assert(
      fc.property(training, share, (training, start) => {
        const plain = ordersOf((epoch, out) => epochOrderInto(training.seed, epoch, out), training);
        const ranking = identity(training.examples).reverse();
        for (const pacing of [
          { start: 1, full: 1 },
          { start: Math.max(1e-3, start), full: 0 },
        ]) {
          const order = curriculumOrder({ pacing: "linear", ...pacing }, ranking, training);
          expect(ordersOf(order, training)).toEqual(plain);
        }
      }),
    );
  });

  it("curriculumOrder() gives an epoch's order whatever was asked for before", () => {
    const training: CurriculumTraining = { examples: 30, batch: 4, epochs: 4, seed: 5, remainder: "carry" };
    const order = curriculumOrder({ pacing: "root", start: 0.1, full: 0.9 }, identity(30), training);
    const orders = ordersOf(order, training);
    for (const epoch of [3, 0, 2, 1, 1]) {
      const out = new Uint32Array(30);
      order(epoch, out);
      expect([...out]).toEqual(orders[epoch]);
    }
    const other = curriculumOrder({ pacing: "root", start: 0.1, full: 0.9 }, identity(30), {
      ...training,
      seed: 6,
    });
    expect(ordersOf(other, training)).not.toEqual(orders);
  });
});

describe("rankExamples()", () => {
  const of = { seed: 1, examples: 5 };

  it("rankExamples() puts the least losses first, or the largest, equal ones in the order of the data", () => {
    const losses = Float64Array.of(2, 0.5, Number.POSITIVE_INFINITY, 0.5, 1);
    expect([...rankExamples("easy-first", losses, of)]).toEqual([1, 3, 4, 0, 2]);
    expect([...rankExamples("hard-first", losses, of)]).toEqual([2, 0, 4, 1, 3]);
  });

  it("rankExamples() ranks at random by the seed", () => {
    const [one, again, other] = [1, 1, 2].map((seed) => [
      ...rankExamples("random", undefined, { seed, examples: 50 }),
    ]);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one?.toSorted((a, b) => a - b)).toEqual([...identity(50)]);
  });

  it("rankExamples() refuses losses that are not numbers", () => {
    expect(() => rankExamples("easy-first", Float64Array.of(1, Number.NaN, 0, 0, 0), of)).toThrow(
      /that of example 1 is NaN; check the network that ranks/,
    );
  });
});

describe("resolveCurriculum()", () => {
  it("resolveCurriculum() refuses what is out of range, with the range", () => {
    const cases: [object, RegExp][] = [
      [{ order: "easy" }, /"order" must be one of easy-first, hard-first, random: it is "easy"/],
      [{}, /"order" must be one of/],
      [{ order: "random", pacing: "cubic" }, /"pacing" must be one of linear, root, step/],
      [{ order: "random", start: 0 }, /"start" must be a share in \(0, 1\]: it is 0/],
      [{ order: "random", start: 1.5 }, /it is 1.5/],
      [{ order: "random", full: Number.NaN }, /"full" must be a share in \[0, 1\]: it is NaN/],
      [{ order: "random", scoredBy: {} }, /the order is random; leave it out/],
      [{ order: "random", share: 1 }, /there is no option "share"/],
    ];
    for (const [options, message] of cases)
      expect(() => resolveCurriculum(options as never)).toThrow(message);
    expect(resolveCurriculum({ order: "easy-first" })).toMatchObject({
      pacing: "linear",
      start: 0.2,
      full: 0.8,
    });
    expect(resolveCurriculum(undefined)).toBeUndefined();
  });
});
