import { byteLengthOf, createTensor, UnsupportedError } from "@isthmus/core";
import { type Graph, randomInputs, randomWeights } from "@isthmus/graph";
import {
  add,
  argMax,
  cast,
  expand,
  GraphBuilder,
  gather,
  gemm,
  greater,
  matMul,
  mul,
  reduceMax,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  scatterND,
  softmax,
  sub,
  sum,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runGraph } from "../../../../../test/helpers/run-graph.ts";
import { type SplitGraph, splitLargeValues } from "./split-large-values.ts";
import { splitSession } from "./split-session.ts";

/** What a graph computes from a table `[rows, columns]`, and other weights. */
type Work = (table: Value, builder: GraphBuilder) => Value;

const other = (builder: GraphBuilder, name: string, shape: readonly number[]): Value =>
  builder.weight(name, { dtype: "f32", shape });

const extents = ({ shape }: Value): readonly [number, number] => [shape[0] ?? 0, shape[1] ?? 0];

const WORKS: Readonly<Record<string, Work>> = {
  "element by element, with broadcasting": (table, builder) => {
    const [rows, columns] = extents(table);
    const [line, pillar] = [other(builder, "line", [columns]), other(builder, "pillar", [rows, 1])];
    return sum([sub(mul(table, 3), line), relu(mul(table, pillar)), cast(greater(table, 0.1), "f32")]);
  },
  "comparison to smaller elements": (table) => cast(greater(table, 0), "bool"),
  "product with the table's transpose": (table, builder) => {
    const [, columns] = extents(table);
    return matMul(other(builder, "left", [3, columns]), transpose(table, [1, 0]));
  },
  "product by a batch of matrices": (table, builder) => {
    const [rows] = extents(table);
    return matMul(other(builder, "left", [2, 3, rows]), table);
  },
  "product with a bias": (table, builder) => {
    const [rows, columns] = extents(table);
    const bias = other(builder, "bias", [rows]);
    return gemm(other(builder, "left", [3, columns]), table, { transB: true, bias });
  },
  "product from the left": (table, builder) => {
    const [rows] = extents(table);
    return gemm(table, other(builder, "right", [rows, 3]), { transA: true, alpha: 0.5 });
  },
  "outer product": (table, builder) => {
    const [rows, columns] = extents(table);
    const [left, right] = [other(builder, "left", [3, rows]), other(builder, "right", [3, columns])];
    return add(table, gemm(left, right, { transA: true }));
  },
  "rows that are looked up": (table, builder) =>
    gather(table, builder.constant(createTensor("i64", [2, 2], BigInt64Array.of(0n, 1n, 1n, 0n)))),
  "columns that are looked up": (table, builder) => gather(table, builder.ints([1, 0]), 1),
  "rows that are added": (table, builder) => {
    const [, columns] = extents(table);
    const indices = builder.constant(createTensor("i64", [3, 1], BigInt64Array.of(0n, 1n, 0n)));
    return scatterND(table, indices, other(builder, "updates", [3, columns]), { reduction: "add" });
  },
  "expanded line": (table, builder) => {
    const [rows, columns] = extents(table);
    return mul(table, expand(other(builder, "line", [1, columns]), [rows, columns]));
  },
  "reshape that splits rows": (table) => reshape(table, [-1, 2, ...table.shape.slice(1)]),
  "reshape that joins rows": (table) => {
    const [rows, columns] = extents(table);
    return reshape(mul(reshape(table, [rows / 2, 2, columns]), 2), [rows, columns]);
  },
  "sum of rows": (table) => reduceSum(table, { axes: [0] }),
  "sum of columns": (table) => reduceSum(table, { axes: [1], keepdims: true }),
  "sum of squares of all": (table) => reduceSumSquare(table),
  "largest of columns": (table) => reduceMax(table, { axes: [1] }),
  "place of the largest of columns": (table) => cast(argMax(table, 1), "f32"),
  "softmax over columns": (table) => softmax(table, 1),
};

function graphOf(work: Work, rows: number, columns: number): Graph {
  const builder = new GraphBuilder("work", 17);
  const table = other(builder, "table", [rows, columns]);
  return builder.build([builder.rename(work(table, builder), "y")]);
}

/** Runs a graph in parts, as a session of the whole graph. */
async function runParts({ graph, tensors }: SplitGraph, whole: Graph) {
  const run = (feeds: Parameters<typeof runGraph>[1]) => runGraph(graph, feeds);
  const session = splitSession({ run, async release() {} }, tensors);
  return session.run(randomWeights(whole, 0));
}

describe("splitLargeValues()", () => {
  it.each(Object.entries(WORKS))("computes the same in parts that fit: %s", async (_, work) => {
    let divided = 0;
    // Limits above all tensors but those of the table's size.
    const sizes = fc.record({
      rows: fc.integer({ min: 6, max: 9 }).map((half) => 2 * half),
      columns: fc.integer({ min: 12, max: 18 }),
      share: fc.double({ min: 0.55, max: 0.95, noNaN: true }),
    });
    const law = fc.asyncProperty(sizes, async ({ rows, columns, share }) => {
      const graph = graphOf(work, rows, columns);
      const limit = Math.floor(share * 4 * rows * columns);
      let split: SplitGraph;
      try {
        split = splitLargeValues(graph, limit);
      } catch (error) {
        expect(error).toBeInstanceOf(UnsupportedError);
        return;
      }
      divided += 1;
      for (const type of split.graph.types?.values() ?? [])
        expect(byteLengthOf(type)).toBeLessThanOrEqual(limit);
      const feeds = new Map([...randomInputs(graph, 1, 0), ...randomWeights(graph, 0)]);
      const expected = (await runGraph(graph, feeds)).get("y");
      const computed = (await runParts(split, graph)).get("y");
      expect(computed?.shape).toEqual(expected?.shape);
      for (const [i, value] of (expected?.data ?? []).entries())
        expect(Number(computed?.data[i])).toBeCloseTo(Number(value), 4);
    });
    await fc.assert(law, { numRuns: 12 });
    expect(divided).toBeGreaterThan(0);
  });
});
