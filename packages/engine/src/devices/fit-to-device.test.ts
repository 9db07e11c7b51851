import { createRandom, createTensor, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import {
  cast,
  equal,
  GraphBuilder,
  logSoftmax,
  maxPoolIndices,
  mul,
  sum,
  where,
} from "@isthmus/graph/builder";
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

test("fitToDevice() leaves no sum of several tensors, logarithm of softmax or comparison with whole numbers, and gives the same results", async () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(shapes, fc.nat(), async (shape, seed) => {
      const builder = new GraphBuilder("refused", 17);
      const x = builder.input("x", { dtype: "f32", shape });
      const classes = builder.ints(Array.from({ length: shape.at(-1) ?? 1 }, (_, i) => i));
      const labels = cast(mul(x, 3), "i64");
      const scores = logSoftmax(mul(x, 20), seed % shape.length);
      const chosen = where(equal(labels, classes), scores, builder.scalar(0));
      const graph = builder.build([builder.rename(sum([chosen, x, scores]), "y"), scores]);
      const fitted = fitToDevice(graph);
      const left = fitted.nodes.map(({ op }) => op);
      expect(left).not.toContain("Sum");
      expect(left).not.toContain("LogSoftmax");
      const typeOf = (name: string) => fitted.types?.get(name)?.dtype;
      const compared = fitted.nodes
        .filter(({ op }) => op === "Equal")
        .flatMap(({ inputs }) => inputs.map(typeOf));
      expect(compared).toEqual(["i32", "i32"]);
      const random = createRandom(seed, "x");
      const size = shape.reduce((all, extent) => all * extent, 1);
      const data = Float32Array.from({ length: size }, () => random.normal());
      const [before, after] = [
        await outputOf(graph, { dtype: "f32", shape, data }),
        await outputOf(fitted, { dtype: "f32", shape, data }),
      ];
      for (const [i, value] of before.entries()) expect(after[i]).toBeCloseTo(value, 4);
    }),
    { numRuns: 25 },
  );
});

test("fitToDevice() leaves graphs without types, and comparisons with numbers beyond 32 bits", () => {
  const builder = new GraphBuilder("wide", 17);
  const x = builder.input("x", { dtype: "i64", shape: [2] });
  const beyond = builder.constant(createTensor("i64", [2], BigInt64Array.of(1n, 2n ** 40n)));
  const graph = builder.build([builder.rename(equal(x, beyond), "y")]);
  expect(fitToDevice(graph).nodes).toEqual(graph.nodes);
  const { types: _, ...untyped } = norm([2, 3], 1);
  expect(fitToDevice(untyped).nodes).toEqual(untyped.nodes);
});

test("fitToDevice() finds the places of a pool's maxima, of several the first, as onnxruntime does", async () => {
  const windows = fc.record({
    extents: fc.tuple(fc.integer({ min: 3, max: 7 }), fc.integer({ min: 3, max: 7 })),
    taps: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 2, max: 3 })),
    stride: fc.integer({ min: 1, max: 3 }),
    pads: fc.integer({ min: 0, max: 1 }),
  });
  await fc.assert(
    fc.asyncProperty(windows, fc.nat(), async ({ extents, taps, stride, pads }, seed) => {
      const builder = new GraphBuilder("pool", 17);
      const shape = [2, 2, ...extents];
      const x = builder.input("x", { dtype: "f32", shape });
      const padding = taps.map((size) => Math.min(pads, size - 1));
      const options = { strides: [stride, stride], pads: [...padding, ...padding] };
      const indices = maxPoolIndices(x, taps, options);
      const graph = builder.build([builder.rename(cast(indices, "f32"), "y")]);
      const fitted = fitToDevice(graph);
      for (const { op, outputs } of fitted.nodes) if (op === "MaxPool") expect(outputs).toHaveLength(1);
      const random = createRandom(seed, "x");
      // Few values, so that many windows have several maxima.
      const data = Float32Array.from({ length: 4 * extents[0] * extents[1] }, () => random.integer(4) - 3);
      const tensor: Tensor = { dtype: "f32", shape, data };
      expect([...(await outputOf(fitted, tensor))]).toEqual([...(await outputOf(graph, tensor))]);
    }),
    { numRuns: 25 },
  );
});
