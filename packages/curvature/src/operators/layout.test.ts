import { createRandom, type Tensor } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addTensorsInPlace } from "./layout.ts";

const layout = [
  { name: "weight", shape: [3, 5], offset: 0 },
  { name: "bias", shape: [3], offset: 15 },
];

describe("addTensorsInPlace()", () => {
  it("gives the bits of summands that are added one after another, however many", () => {
    const cases = fc.record({
      count: fc.integer({ min: 0, max: 9 }),
      seed: fc.nat(),
      isDouble: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ count, seed, isDouble }) => {
        const random = createRandom(seed, "summands");
        const tensor = (shape: readonly number[], size: number): Tensor => {
          const data = Float64Array.from({ length: size }, () => random.normal());
          return isDouble
            ? { dtype: "f64", shape, data }
            : { dtype: "f32", shape, data: Float32Array.from(data) };
        };
        const summands = Array.from({ length: count }, () => ({
          factor: random.normal(),
          tensors: [tensor([3, 5], 15), tensor([3], 3)],
        }));
        const [together, apart] = [new Float64Array(18).fill(0.1), new Float64Array(18).fill(0.1)];
        addTensorsInPlace(together, layout, summands);
        for (const { factor, tensors } of summands) {
          const all = tensors.flatMap(({ data }) => [...data].map(Number));
          for (const [i, x] of all.entries()) apart[i] = (apart[i] ?? Number.NaN) + factor * x;
        }
        expect(together).toEqual(apart);
      }),
    );
  });
});
