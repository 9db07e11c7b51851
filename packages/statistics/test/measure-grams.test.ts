import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { measureGrams } from "@isthmus/statistics";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { runGraph } from "../../../test/helpers/run-graph.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

const engine = createOnnxRuntimeEngine();
const data = stripes(23);

/** A linear layer of a weight `[outputs, inputs]`, by a product of one of two kinds. */
function linear(
  b: GraphBuilder,
  {
    x,
    name,
    from,
    to,
  }: { readonly x: string; readonly name: string; readonly from: number; readonly to: number },
  kind: "Gemm" | "MatMul",
): string {
  const [weight, bias] = [b.weight(`${name}.weight`, [to, from]), b.weight(`${name}.bias`, [to])];
  if (kind === "Gemm") return b.op("Gemm", [x, weight, bias], { transB: 1 });
  return b.op("Add", [b.op("MatMul", [x, b.transpose(weight, 1, 0)]), bias]);
}

function network(): Graph {
  const b = new GraphBuilder(17);
  const x = b.reshape(b.input("x", [1, 4, 4]), 0, 16);
  const hidden = b.op("Relu", [linear(b, { x, name: "l0", from: 16, to: 6 }, "Gemm")]);
  return b.output(linear(b, { x: hidden, name: "l1", from: 6, to: 3 }, "MatMul")).build("small");
}

const graph = network();
const weights = randomWeights(graph, 1);
const checkpoint: Checkpoint = createCheckpoint(weights);

/** Sums of products of all pairs of columns of rows `[rows, n]`. */
function productsOf(rows: ArrayLike<number>, n: number): number[] {
  const count = rows.length / n;
  return Array.from({ length: n * n }, (_, p) => {
    let sum = 0;
    for (let e = 0; e < count; e++) sum += rows[e * n + Math.floor(p / n)]! * rows[e * n + (p % n)]!;
    return sum;
  });
}

describe("measureGrams()", () => {
  test("sums products of the inputs of each linear layer, whatever the batches", async () => {
    const { inputs } = data.read(0, data.size);
    const relu = graph.nodes.find(({ op }) => op === "Relu")!.outputs[0]!;
    const outputs = await runGraph(
      { ...graph, outputs: [{ name: relu }] },
      new Map(weights).set("x", inputs),
      { threads: 1 },
    );
    const expected = new Map([
      ["l0.weight", productsOf(inputs.data as Float32Array, 16)],
      ["l1.weight", productsOf(outputs.get(relu)!.data as Float32Array, 6)],
    ]);
    for (const batchSize of [4, 100]) {
      const { grams, leftOut } = await measureGrams({ graph, engine }, checkpoint, data, { batchSize });
      expect([[...grams.tensors.keys()], leftOut]).toEqual([[...expected.keys()], []]);
      for (const [name, numbers] of expected) {
        const { data: gram } = await grams.read(name);
        const largest = Math.max(...numbers);
        for (const [i, value] of numbers.entries())
          expect(Math.abs(Number(gram[i]) - value)).toBeLessThan(1e-5 * largest);
      }
    }
  });

  test("leaves out weights that are stored the other way, and refuses graphs without others", async () => {
    const b = new GraphBuilder(17);
    const flat = b.reshape(b.input("x", [1, 4, 4]), 0, 16);
    const other = b.output(b.op("MatMul", [flat, b.weight("w", [16, 3])])).build("other");
    await expect(
      measureGrams({ graph: other, engine }, createCheckpoint(randomWeights(other, 1)), data),
    ).rejects.toThrow('graph "other" as it must have a linear layer');
    const c = new GraphBuilder(17);
    const x = c.reshape(c.input("x", [1, 4, 4]), 0, 16);
    const rows = linear(c, { x, name: "l0", from: 16, to: 6 }, "Gemm");
    const both = c.output(c.op("MatMul", [rows, c.weight("w", [6, 3])])).build("both");
    const result = await measureGrams(
      { graph: both, engine },
      createCheckpoint(randomWeights(both, 1)),
      data,
    );
    expect([[...result.grams.tensors.keys()], result.leftOut]).toEqual([["l0.weight"], ["w"]]);
  });
});
