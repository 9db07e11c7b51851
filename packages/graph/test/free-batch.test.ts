import { createCheckpoint, createRandom, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, freeBatch, type Graph, randomWeights } from "@isthmus/graph";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

const engine = createOnnxRuntimeEngine();
const WIDTH = 6;

/** A graph for batches of one size, of rows of numbers, that `build` continues. */
function rowsOf(batch: number, build: (b: GraphBuilder, x: string) => string): Graph {
  const b = new GraphBuilder();
  const graph = b.output(build(b, b.input("x", [WIDTH]))).build("rows");
  return { ...graph, inputs: [{ ...graph.inputs[0]!, shape: [batch, WIDTH] }] };
}

const counting = (count: number) => Array.from({ length: count }, (_, i) => i / 7);

describe("freeBatch()", () => {
  test("leaves a graph of any batch as it is, and runs nothing", async () => {
    const graph = { ...rowsOf(2, (b, x) => b.op("Relu", [x])), inputs: [{ name: "x", shape: ["N", WIDTH] }] };
    const idle = { name: "none", load: () => Promise.reject(new Error("nothing is to be run")) };
    expect(await freeBatch({ graph, engine: idle })).toEqual({ graph });
  });

  test.each([1, 2, 5])("writes a batch of %d out of shapes and constants that hold it", async (batch) => {
    const graph = rowsOf(batch, (b, x) => {
      const shifted = b.op("Add", [x, b.constant(Array(batch).fill(counting(WIDTH)).flat(), [batch, WIDTH])]);
      const split = b.reshape(shifted, batch * 2, 3);
      const token = b.op("Expand", [b.weight("token", [1, 1, 3]), b.ints(batch, 1, 3)]);
      const joined = b.op("Concat", [token, b.reshape(split, batch, 2, 3)], { axis: 1 });
      const turned = b.reshape(b.transpose(joined, 1, 0, 2), 3, batch, 3);
      const whole = b.slice(b.transpose(turned, 1, 0, 2), 0, [0, batch]);
      return b.linear(b.reshape(whole, batch, 9), "head", 9, 4);
    });
    const freed = await freeBatch({ graph, engine });
    expect(freed.reason).toBeUndefined();
    expect(freed.exportedBatch).toBe(batch);
    expect(freed.graph.inputs[0]?.shape).toEqual(["batch", WIDTH]);
  });

  const depending: readonly (readonly [string, (b: GraphBuilder, x: string) => string, RegExp])[] = [
    [
      "is compared with the mean of the batch",
      (b, x) => b.op("Sub", [x, b.op("ReduceMean", [x], { axes: [0], keepdims: 1 })]),
      /\(ReduceMean\): it combines values of different examples/,
    ],
    [
      "has numbers of its own in a constant",
      (b, x) => b.op("Add", [x, b.constant(counting(3 * WIDTH), [3, WIDTH])]),
      /^3 examples give other outputs than batches of 3 do/,
    ],
    [
      "sees the examples before it",
      (b, x) => b.op("CumSum", [x, b.constant([0], [], true)]),
      /\(CumSum\): it combines values of different examples/,
    ],
    [
      "goes to a foreign operator",
      (b, x) => b.op("Det", [b.reshape(b.op("Concat", [x, x, x, x, x, x], { axis: 1 }), 3, 6, 6)]),
      /\(Det\): what it does to a batch is not known/,
    ],
    [
      "is one of a few picked out",
      (b, x) => b.op("Gather", [x, b.ints(2, 0)], { axis: 0 }),
      /it picks examples/,
    ],
    ["is cut off", (b, x) => b.slice(x, 0, [0, 2]), /it cuts some examples out of the batch/],
  ];
  test.each(depending)("keeps the batch where an example %s, and says why", async (_, build, reason) => {
    const graph = rowsOf(3, build);
    const freed = await freeBatch({ graph, engine });
    expect(freed.graph).toBe(graph);
    expect(freed.reason).toMatch(reason);
  });

  test("keeps a batch of 1 that is removed", async () => {
    const graph = rowsOf(1, (b, x) => b.op("Squeeze", [x, b.ints(0)]));
    expect((await freeBatch({ graph, engine })).reason).toMatch(
      /\(Squeeze\): it removes the axis of the batch/,
    );
  });

  test("proves it with the network it is given, where constants of it are repeated for every example", async () => {
    const graph = rowsOf(2, (b, x) => b.op("Concat", [b.weight("token", [2, 1]), x], { axis: 1 }));
    expect((await freeBatch({ graph, engine })).reason).toMatch(/2 examples give other outputs/);
    const token: Tensor = { dtype: "f32", shape: [2, 1], data: Float32Array.of(3, 3) };
    const weights = createCheckpoint(new Map([["token", token]]));
    expect((await freeBatch({ graph, engine }, { weights })).reason).toBeUndefined();
  });
});

test("permuting examples permutes what a filled batch and a freed graph make of them", async () => {
  const graph = rowsOf(4, (b, x) => b.linear(b.op("Tanh", [b.linear(x, "in", WIDTH, 5)]), "out", 5, 3));
  const freed = await freeBatch({ graph, engine });
  const weights = randomWeights(graph, 3);
  const random = createRandom(1, "rows");
  const size = 11;
  const rows = Array.from({ length: size }, () => Array.from({ length: WIDTH }, () => random.normal()));
  const lossesOf = async (own: Graph, order: readonly number[]) => {
    const data = Float32Array.from(order.flatMap((i) => rows[i]!));
    const labels = Int32Array.from(order, (i) => i % 3);
    const set = createDataSet({ dtype: "f32", shape: [size, WIDTH], data }, labels);
    const evaluator = await createEvaluator({ graph: own, engine }, set);
    const { losses } = await evaluator.evaluate(createCheckpoint(weights));
    await evaluator.release();
    return losses;
  };
  const identity = rows.map((_, i) => i);
  const plain = await lossesOf(freed.graph, identity);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(identity, { minLength: size, maxLength: size }), async (order) => {
      for (const own of [graph, freed.graph]) {
        const losses = await lossesOf(own, order);
        order.forEach((example, i) => {
          expect(losses[i]).toBeCloseTo(plain[example]!, 6);
        });
      }
    }),
    { numRuns: 6, seed: 2 },
  );
});
