import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchesOptions, createBatches } from "./create-batches.ts";
import { stepsUntil } from "./epoch-steps.ts";

/** Images of `[1, 2, 3]`, all pixels of one its number, which is its label, too. */
function numbered(size: number): DataSet {
  const pixels = Uint8Array.from({ length: 6 * size }, (_, i) => Math.floor(i / 6));
  const labels = Int32Array.from({ length: size }, (_, i) => i);
  return createDataSet(createTensor("u8", [size, 2, 3], pixels), labels, {
    scaling: { mean: 0, std: 1 / 255 },
  });
}

const plain: BatchesOptions = { seed: 0, batch: 4, remainder: "carry", augment: {} };

/** Labels of the batches of steps `[begin, end)`. */
function labelsOf(data: DataSet, options: BatchesOptions, begin: number, end: number): number[] {
  const batches = createBatches(data, options);
  const seen: number[] = [];
  for (let step = begin; step < end; step++) {
    batches.fill(step);
    seen.push(...batches.current.labels);
  }
  return seen;
}

const sizes = fc.record({ size: fc.integer({ min: 3, max: 30 }), batch: fc.integer({ min: 1, max: 3 }) });
const seed = fc.nat();

describe("createBatches()", () => {
  it("createBatches() shows every example once an epoch, across batches", () => {
    fc.assert(
      fc.property(sizes, seed, ({ size, batch }, seed) => {
        const steps = stepsUntil(3, { examples: size, batch, remainder: "carry" });
        const seen = labelsOf(numbered(size), { ...plain, seed, batch }, 0, steps);
        for (const epoch of [0, 1, 2]) {
          const sorted = seen.slice(epoch * size, (epoch + 1) * size).sort((a, b) => a - b);
          expect(sorted).toEqual(Array.from({ length: size }, (_, i) => i));
        }
        expect(seen.length - 3 * size).toBeLessThan(batch);
      }),
    );
  });

  it("createBatches() drops what is left over, other examples every epoch, if asked", () => {
    const options: BatchesOptions = { ...plain, remainder: "drop" };
    expect(stepsUntil(2, { examples: 11, batch: 4, remainder: "drop" })).toBe(4);
    const seen = labelsOf(numbered(11), options, 0, 4);
    const [first, second] = [new Set(seen.slice(0, 8)), new Set(seen.slice(8))];
    expect([first.size, second.size]).toEqual([8, 8]);
    expect(first).not.toEqual(second);
  });

  it("createBatches() makes the batch of a step whatever was made before", () => {
    fc.assert(
      fc.property(
        sizes,
        seed,
        fc.array(fc.nat({ max: 40 }), { minLength: 1 }),
        ({ size, batch }, seed, steps) => {
          const options: BatchesOptions = { ...plain, seed, batch, augment: { crop: 1, flip: true } };
          const used = createBatches(numbered(size), options);
          for (const step of steps) {
            const fresh = createBatches(numbered(size), options);
            used.fill(step);
            fresh.fill(step);
            expect(used.current).toEqual(fresh.current);
          }
        },
      ),
    );
  });

  it("createBatches() pairs inputs with their labels, from data that can only be read in order, too", () => {
    const whole = numbered(9);
    const { gatherInto: _, ...ordered } = whole;
    for (const data of [whole, ordered]) {
      const { current, fill } = createBatches(data, plain);
      fill(2);
      const pixels = current.inputs.data;
      expect(Array.from({ length: 4 }, (_, i) => Number(pixels[6 * i]))).toEqual([...current.labels]);
    }
  });

  it("createBatches() has another order for every epoch and seed, and the same one again", () => {
    const data = numbered(30);
    const orders = [0, 1].flatMap((seed) => [
      labelsOf(data, { ...plain, seed, batch: 30 }, 0, 1),
      labelsOf(data, { ...plain, seed, batch: 30 }, 1, 2),
    ]);
    expect(new Set(orders.map(String)).size).toBe(4);
    expect(labelsOf(data, { ...plain, batch: 30 }, 1, 2)).toEqual(orders[1]);
  });
});
