import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bakeWeights, type Graph, readGraph } from "@isthmus/graph";
import { describe, expect, test } from "vitest";

const EXAMPLES = 3;

/** What PyTorch computes, with the formulas below for weights and inputs. */
const golden: { readonly logits: Readonly<Record<string, readonly (readonly number[])[]>> } = JSON.parse(
  readFileSync(new URL("golden/parity.json", import.meta.url), "utf8"),
);

/** `offset + scale sin(0.01 (i + 1)^2 + seed)`, as golden/generate-parity.py has it. */
function waves(shape: readonly number[], seed: number, [scale, offset]: readonly [number, number]): Tensor {
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => offset + scale * Math.sin(0.01 * (i + 1) * (i + 1) + seed),
  );
  return { dtype: "f32", shape, data };
}

/** Matrices by their fan-in; scales and variances about 1, biases and means about 0. */
function weightsOf(graph: Graph): Map<string, Tensor> {
  const entries = [...graph.weights].map(([name, { shape }], index): [string, Tensor] => {
    const vector: [number, number] = [0.3, /(weight|running_var)$/.test(name) ? 1 : 0];
    const matrix: [number, number] = [Math.sqrt(2 / sizeOf(shape.slice(1))), 0];
    return [name, waves(shape, index + 1, shape.length === 1 ? vector : matrix)];
  });
  return new Map(entries);
}

describe.each(Object.entries(golden.logits))("%s on onnxruntime", async (name, expected) => {
  const { graph } = await readGraph(fileURLToPath(new URL(`fixtures/${name}/graph.onnx`, import.meta.url)));
  const weights = weightsOf(graph);
  const inputs = waves([EXAMPLES, 1, 28, 28], 0, [1.5, 0]);

  test.each([false, true])("computes what PyTorch computes; weights as constants: %s", async (baked) => {
    const session = await createOnnxRuntimeEngine().load(baked ? bakeWeights(graph, weights) : graph);
    const outputs = await session.run(new Map([...weights, ["x", inputs]]));
    await session.release();
    const logits = outputs.get("logits");
    expect(logits?.shape).toEqual([EXAMPLES, expected[0]?.length]);
    const errors = expected.flat().map((logit, i) => Math.abs(logit - Number(logits?.data[i])));
    expect(Math.max(...errors)).toBeLessThan(1e-4);
  });
});
