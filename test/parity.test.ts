import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bakeWeights, readGraph } from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { waveWeights } from "./helpers/wave-weights.ts";
import { waves } from "./helpers/waves.ts";

const EXAMPLES = 3;

/** What PyTorch computes, with the formulas below for weights and inputs. */
const golden: { readonly logits: Readonly<Record<string, readonly (readonly number[])[]>> } = JSON.parse(
  readFileSync(new URL("golden/parity.json", import.meta.url), "utf8"),
);

describe.each(Object.entries(golden.logits))("%s on onnxruntime", async (name, expected) => {
  const { graph } = await readGraph(fileURLToPath(new URL(`fixtures/${name}/graph.onnx`, import.meta.url)));
  const weights = waveWeights([...graph.weights].map(([name, { shape }]) => [name, shape]));
  const inputs = waves([EXAMPLES, 1, 28, 28], 0, 1.5);

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
