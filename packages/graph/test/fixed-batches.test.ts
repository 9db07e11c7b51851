import { createCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createClassifier, createEvaluator, type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import {
  activationStatistics,
  createRepairer,
  pairStatistics,
  recalibrateBatchNorm,
  type UnitView,
} from "@isthmus/statistics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { batchNorm } from "../../../test/helpers/small-networks.ts";

// Everything that runs a network over data gives the same for a graph of a fixed batch, whose last batch is filled up, as for the graph
// of any batch.

const engine = createOnnxRuntimeEngine();
const CLASSES = 3;

/** Norms, a residual connection, and a shape that is computed before norms and used behind them. */
function network(): Graph {
  const b = new GraphBuilder();
  const norm = (x: string, name: string) => batchNorm(b, x, name, 4);
  const stem = b.op("Relu", [norm(b.conv(b.input("x", [2, 4, 4]), "c1", [2, 4]), "n1")]);
  const batch = b.slice(b.op("Shape", [stem]), 0, [0, 1]);
  const joined = b.op("Add", [norm(b.conv(stem, "c2", [4, 4]), "n2"), stem]);
  const shape = b.op("Concat", [batch, b.ints(-1)], { axis: 0 });
  return b.output(b.linear(b.op("Reshape", [joined, shape]), "head", 64, CLASSES)).build("network");
}

const graph = network();
const weights = createCheckpoint(randomWeights(graph, 1));
const others = createCheckpoint(randomWeights(graph, 2));

/** The graph for batches of one size. */
const fixed = (batch: number): Graph => ({
  ...graph,
  inputs: graph.inputs.map((input) => ({ ...input, shape: input.shape!.with(0, batch) })),
});

const views: readonly UnitView[] = [
  { value: "x", axes: [1] },
  ...graph.nodes
    .filter(({ op }) => ["Conv", "Relu", "BatchNormalization"].includes(op))
    .map(({ outputs: [value = ""] }) => ({ value, axes: [1] })),
];

/** All numbers of plain results, tensors and maps, in order. */
function numbersOf(result: unknown): number[] {
  if (typeof result === "number") return [result];
  if (ArrayBuffer.isView(result)) return Array.from(result as unknown as ArrayLike<number>);
  if (typeof result !== "object") return [];
  const entries = result instanceof Map ? [...result.values()] : Object.values(result as object);
  return entries.flatMap(numbersOf);
}

const MEASUREMENTS: Readonly<
  Record<string, (graph: Graph, data: DataSet, batchSize: number) => Promise<unknown>>
> = {
  async createEvaluator(own, data, batchSize) {
    const evaluator = await createEvaluator({ graph: own, engine }, data, { batchSize });
    const results = [await evaluator.evaluate(weights), await evaluator.evaluate(others)];
    await evaluator.release();
    return results;
  },
  async createClassifier(own, data, batchSize) {
    const classifier = await createClassifier({ graph: own, engine }, data, { batchSize });
    const result = await classifier.classify(weights);
    await classifier.release();
    return result;
  },
  activationStatistics: (own, data, batchSize) =>
    activationStatistics({ graph: own, engine }, weights, data, { views, batchSize }),
  pairStatistics: (own, data, batchSize) =>
    pairStatistics({ graph: own, engine }, [weights, others], data, { views, batchSize }),
  recalibrateBatchNorm: (own, data, batchSize) =>
    recalibrateBatchNorm({ graph: own, engine }, weights, data, { batchSize }),
  async createRepairer(own, data, batchSize) {
    const repairer = await createRepairer({ graph: own, engine }, [weights, others], data, {
      batchSize,
    });
    return repairer.repair(weights, [0.5, 0.5]);
  },
};

describe.each(Object.entries(MEASUREMENTS))("%s()", (_, measure) => {
  test("gives the same for a graph of a fixed batch as for one of any batch", async () => {
    const sizes = fc.record({ batch: fc.integer({ min: 1, max: 7 }), size: fc.integer({ min: 1, max: 17 }) });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ batch, size }) => {
        const data = randomExamples([2, 4, 4], { size, seed: size, classes: CLASSES, name: "few" });
        const filled = numbersOf(await measure(fixed(batch), data, 4));
        const free = numbersOf(await measure(graph, data, 4));
        expect(filled).toHaveLength(free.length);
        const scale = Math.max(1, ...free.map(Math.abs));
        const apart = filled.map((value, i) => Math.abs(value - free[i]!) / scale);
        expect(Math.max(...apart)).toBeLessThan(2e-6);
      }),
      { numRuns: 8, seed: 1 },
    );
  });
});

test("statistics are refused where it is not known which part of a value belongs to which example", async () => {
  const b = new GraphBuilder();
  const mixed = b.op("ReduceMax", [b.input("x", [2, 4, 4])], { axes: [0], keepdims: 1 });
  const own = b.output(mixed).build();
  const sums = { ...own, inputs: own.inputs.map((input) => ({ ...input, shape: [4, 2, 4, 4] })) };
  const measure = (size: number) =>
    activationStatistics(
      { graph: sums, engine },
      createCheckpoint(new Map<string, Tensor>()),
      randomExamples([2, 4, 4], { size, seed: size, classes: CLASSES, name: "few" }),
      { views: [{ value: mixed, axes: [1] }] },
    );
  await expect(measure(8)).resolves.toHaveLength(1);
  await expect(measure(9)).rejects.toThrow(
    /takes batches of 4 and the last one of 1 is filled up, .*\(ReduceMax\): it combines values of different examples; take a multiple of 4/,
  );
});
