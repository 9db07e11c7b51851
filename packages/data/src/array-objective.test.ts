import { createTensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { withArrayObjective } from "./array-objective.ts";
import { createDataSet } from "./create-data-set.ts";

const images = createTensor(
  "f32",
  [7, 1, 2, 2],
  Float32Array.from({ length: 28 }, (_, i) => i),
);
const texts = createTensor(
  "i64",
  [7, 3],
  BigInt64Array.from({ length: 21 }, (_, i) => BigInt(i)),
);
const pairs = () =>
  createDataSet(images, undefined, { inputName: "pixel_values", features: new Map([["input_ids", texts]]) });
const frames = createTensor("f32", [2, 5, 4], new Float32Array(40));
const written = createTensor("i64", [2, 3], BigInt64Array.of(4n, 5n, 6n, 7n, -100n, -100n));

describe("withArrayObjective()", () => {
  it("groups images and texts, with labels of which belong together", () => {
    const data = withArrayObjective(pairs(), { kind: "paired" }, 3);
    expect(data).toMatchObject({ size: 2, exampleShape: [3, 1, 2, 2] });
    expect(data.notes?.join()).toMatch(/3 pairs .*the last 1 are left out/);
    const { inputs, features } = data.read(1, 2);
    expect(inputs.shape).toEqual([1, 3, 1, 2, 2]);
    expect(inputs.data[0]).toBe(12);
    expect(features?.get("input_ids")).toMatchObject({ shape: [1, 3, 3] });
    expect(features?.get("input_ids")?.data[0]).toBe(9n);
    expect(Array.from(features?.get("pair")?.data ?? [], Number)).toEqual([0, 1, 2]);
    const { features: ones } = withArrayObjective(pairs(), { kind: "paired", asks: "each" }, 3).read(1, 2);
    expect(Array.from(ones?.get("pair")?.data ?? [], Number)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  it("lets a decoder write the labels, whatever the inputs are", () => {
    const objective = { kind: "continued", start: 1, padding: 2 } as const;
    const data = withArrayObjective(
      createDataSet(frames, written, { inputName: "input_features" }),
      objective,
    );
    expect(data).toMatchObject({ labelling: "position", classes: 8, exampleShape: [5, 4] });
    expect("targets" in data).toBe(false);
    const { labels, features } = data.read(0, 2);
    expect(Array.from(labels)).toEqual([4, 5, 6, 7, -100, -100]);
    expect([...(features?.keys() ?? [])].includes("decoder_input_ids")).toBe(true);
    expect(Array.from(features?.get("decoder_input_ids")?.data ?? [], Number)).toEqual([1, 4, 5, 1, 7, 2]);
  });

  it("leaves other data as they are, and says what does not fit", () => {
    const plain = pairs();
    expect(withArrayObjective(plain, undefined)).toBe(plain);
    expect(withArrayObjective(plain, { kind: "continued", start: 0 })).toBe(plain);
    expect(() => withArrayObjective(plain, { kind: "paired" })).toThrow(
      /8 pairs .*: there are 7; .*,pairs=7/,
    );
    expect(() => withArrayObjective(plain, { kind: "paired" }, 1)).toThrow(
      /"pairs" must be at least 2: it is 1/,
    );
    expect(() => withArrayObjective(plain, undefined, 4)).toThrow(/network of images and texts alone/);
  });
});
