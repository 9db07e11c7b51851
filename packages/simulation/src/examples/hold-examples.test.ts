import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { describe, expect, it } from "vitest";
import { holdExamples } from "./hold-examples.ts";

const pixels = Uint8Array.from({ length: 4 * 9 }, (_, i) => i);
const data = createDataSet(createTensor("u8", [4, 3, 3], pixels), Int32Array.of(0, 1, 2, 1), { name: "d" });
const positions = Uint32Array.of(3, 1);
const still = { rotation: 0, brightness: 0, noise: 0 };
const valuesOf = (shift: object, at: readonly number[] = [1]) => {
  const { inputs } = holdExamples(data, {
    ...{ name: "h", positions: Uint32Array.from(at), shift: { ...still, ...shift } },
  }).read(0, at.length);
  return [...(inputs.data as Float32Array)];
};

describe("holdExamples()", () => {
  it("holdExamples() reads and gathers the examples at their positions, scaled as they were", () => {
    const part = holdExamples(data, { name: "part", positions });
    expect([part.name, part.size, part.classes, part.exampleShape]).toEqual(["part", 2, 3, [1, 3, 3]]);
    const batch = part.read(0, 2);
    expect([...batch.labels]).toEqual([1, 1]);
    expect(batch.inputs.data).toEqual(
      Float32Array.from([
        ...(data.read(3, 4).inputs.data as Float32Array),
        ...(data.read(1, 2).inputs.data as Float32Array),
      ]),
    );
    const gathered = part.gatherInto?.(Uint32Array.of(1, 0), part.read(0, 2));
    expect(gathered?.inputs.data).toEqual(
      Float32Array.from([
        ...(data.read(1, 2).inputs.data as Float32Array),
        ...(data.read(3, 4).inputs.data as Float32Array),
      ]),
    );
    expect(() => part.read(0, 3)).toThrow(/within it: there are 2/);
    expect(() => part.gatherInto?.(Uint32Array.of(2, 0), part.read(0, 2))).toThrow(/there are 2/);
  });

  it("holdExamples() changes labels, and not those of the data", () => {
    const flipped = holdExamples(data, { name: "f", positions, relabel: (label) => 2 - label });
    expect([...flipped.read(0, 2).labels]).toEqual([1, 1]);
    expect([
      ...holdExamples(data, { name: "f", positions: Uint32Array.of(2), relabel: () => 0 }).read(0, 1).labels,
    ]).toEqual([0]);
    expect([...data.read(2, 3).labels]).toEqual([2]);
  });

  it("holdExamples() turns images counter-clockwise about their middle", () => {
    const [a, b, c, d, e, f, g, h, i] = valuesOf({}) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const close = (turned: readonly number[], expected: readonly number[]) => {
      for (const [k, value] of expected.entries()) expect(turned[k]).toBeCloseTo(value, 6);
    };
    close(valuesOf({ rotation: 90 }), [c, f, i, b, e, h, a, d, g]);
    close(valuesOf({ rotation: 180 }), [i, h, g, f, e, d, c, b, a]);
    close(valuesOf({ rotation: -90 }), [g, d, a, h, e, b, i, f, c]);
  });

  it("holdExamples() adds brightness, and noise that is the same again", () => {
    const plain = valuesOf({});
    expect(valuesOf({ brightness: 0.5 })).toEqual(plain.map((value) => Math.fround(value + 0.5)));
    const noisy = valuesOf({ noise: 1 });
    expect(noisy).not.toEqual(plain);
    expect(valuesOf({ noise: 1 })).toEqual(noisy);
  });

  it("holdExamples() refuses to turn what are no images", () => {
    const rows = createDataSet(createTensor("f32", [2, 3], new Float32Array(6)), Int32Array.of(0, 1), {
      name: "rows",
    });
    const shift = { ...still, rotation: 5 };
    expect(() => holdExamples(rows, { name: "r", positions: Uint32Array.of(0), shift })).toThrow(
      /must be images/,
    );
  });
});
