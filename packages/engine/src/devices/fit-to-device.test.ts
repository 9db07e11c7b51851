import { createRandom, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder } from "@isthmus/graph/builder";
import { int } from "@isthmus/graph/ir";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createOnnxRuntimeEngine } from "../onnxruntime/create-onnxruntime-engine.ts";
import { fitToDevice } from "./fit-to-device.ts";

const engine = createOnnxRuntimeEngine();

/** A layer norm over the axes from one on, whose scale is one number. */
function norm(shape: readonly number[], axis: number): Graph {
  const builder = new GraphBuilder("norm", 17);
  const x = builder.input("x", { dtype: "f32", shape });
  const scale = builder.numbers([3], "f32");
  const attributes = { attributes: { axis: int(axis) } };
  const results = builder.emit("LayerNormalization", [x, scale], [{ dtype: "f32", shape }], attributes);
  return builder.build(results.filter((value) => value !== undefined));
}

async function outputOf(graph: Graph, x: Tensor): Promise<Float32Array> {
  const session = await engine.load(graph);
  const [y] = [...(await session.run(new Map([["x", x]]))).values()];
  await session.release();
  return y?.data as Float32Array;
}

test("fitToDevice() gives a layer norm of one scale a scale for each element, and the same results", async () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(shapes, fc.nat(), async (shape, seed) => {
      const axis = seed % shape.length;
      const graph = norm(shape, axis);
      const fitted = fitToDevice(graph);
      const [node] = fitted.nodes;
      expect(fitted.constants.get(node?.inputs[1] ?? "")?.data).toHaveLength(
        shape.slice(axis).reduce((size, extent) => size * extent, 1),
      );
      const random = createRandom(seed, "x");
      const size = shape.reduce((all, extent) => all * extent, 1);
      const x: Tensor = {
        dtype: "f32",
        shape,
        data: Float32Array.from({ length: size }, () => random.normal()),
      };
      const [before, after] = [await outputOf(graph, x), await outputOf(fitted, x)];
      for (const [i, value] of before.entries()) expect(after[i]).toBeCloseTo(value, 4);
    }),
    { numRuns: 25 },
  );
});
