import { createTensor } from "@isthmus/core";
import { createDataSet, MNIST_SCALING } from "@isthmus/data";
import { describe, expect, it } from "vitest";
import { holdExamples } from "./hold-examples.ts";

describe("holdExamples()", () => {
  it("holdExamples() feeds what the data set fed, in the same shapes and under the same name", () => {
    const bytes = createTensor(
      "u8",
      [5, 2, 3],
      Uint8Array.from({ length: 30 }, (_, i) => 8 * i),
    );
    const data = createDataSet(bytes, Int32Array.of(0, 1, 2, 1, 0), {
      name: "few",
      classes: 4,
      scaling: MNIST_SCALING,
    });
    const held = holdExamples(data);
    expect(held).toMatchObject({
      name: "few",
      size: 5,
      classes: 4,
      exampleShape: [1, 2, 3],
      scaling: MNIST_SCALING,
    });
    expect(held.read(1, 4)).toEqual(data.read(1, 4));
  });

  it("holdExamples() leaves alone what is fed as it is", () => {
    const data = createDataSet(createTensor("f32", [1, 2], Float32Array.of(1, 2)), Int32Array.of(0));
    expect(holdExamples(data)).toBe(data);
  });
});
