import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gradient } from "@isthmus/autodiff";
import { type Tensor, toFloat32 } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type Graph, readGraph, specialize } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { expect, test } from "vitest";
import { readManifest, readWitness, type Witness } from "../../../test/helpers/verify-export.ts";

const FOLDER = fileURLToPath(new URL("../../../test/fixtures/exports", import.meta.url));
const engine = createOnnxRuntimeEngine();

/** Modules with an operator that has no gradient rule, or none for its settings, and what the error says. */
const WITHOUT_RULE: Readonly<Record<string, string>> = {
  "embedding-bag": "is Loop, which has none",
  upsample: 'as Resize must have mode "nearest" to have a gradient: it is "linear"',
};

/** Exports whose weights have the names and shapes of the module's parameters, one of each module. */
const EXPORTS = Object.entries(readManifest(FOLDER).modules).flatMap(([module, { exports }]) => {
  const named = [exports["legacy-unfolded"], exports["dynamo-unoptimized"]];
  const file = named.find((each) => typeof each === "string");
  return file === undefined ? [] : [{ module, file }];
});

/** The graph with the sum of the squares of its output as an output. */
async function withLoss(path: string, { inputs }: Witness): Promise<Graph> {
  const { graph } = await readGraph(path);
  const extents: Record<string, number> = {};
  graph.inputs.forEach(({ shape = [] }, i) => {
    shape.forEach((extent, axis) => {
      if (typeof extent === "string") extents[extent] = inputs[i]?.shape[axis] ?? 0;
    });
  });
  const typed = await specialize({ graph, engine }, { batch: inputs[0]?.shape[0] ?? 1, extents });
  const builder = GraphBuilder.from(typed);
  const output = builder.value(graph.outputs[0]?.name ?? "");
  return builder.build([builder.rename(reduceSum(mul(output, output)), "loss")]);
}

async function gradientsOf(
  graph: Graph,
  witness: Witness,
  names: readonly string[],
): Promise<Map<string, Tensor>> {
  const differentiated = gradient(graph, { loss: "loss", withRespectTo: names });
  const session = await engine.load(differentiated);
  try {
    const feeds = new Map(await bindWeights(graph, witness.state));
    graph.inputs.forEach(({ name }, i) => {
      feeds.set(name, witness.inputs[i] as Tensor);
    });
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** A gradient's product with `sin(1), sin(2), ...`, and its length. */
function summarize({ data, dtype }: Tensor): [number, number] {
  let [along, square] = [0, 0];
  toFloat32(data, dtype).forEach((value, i) => {
    along += value * Math.sin(i + 1);
    square += value * value;
  });
  return [along, Math.sqrt(square)];
}

test.each(EXPORTS)("gradient() of $module/$file is PyTorch's", async ({ module, file }) => {
  const witness = await readWitness(join(FOLDER, module));
  const graph = await withLoss(join(FOLDER, module, file), witness);
  const names = [...witness.gradients.keys()].filter((name) => graph.weights.has(name));
  const missing = WITHOUT_RULE[module];
  if (missing !== undefined) {
    await expect(gradientsOf(graph, witness, names)).rejects.toThrow(missing);
    return;
  }
  // One that is left out is the same tensor as another.
  expect(names.length).toBeGreaterThanOrEqual(witness.gradients.size - (module === "embedding" ? 1 : 0));
  const gradients = await gradientsOf(graph, witness, names);
  const lengths = [...witness.gradients.values()].map(({ data }) => Number(data[1]));
  for (const name of names) {
    const [along, length] = Array.from(witness.gradients.get(name)?.data as Float32Array) as [number, number];
    const [gotAlong, gotLength] = summarize(gradients.get(gradientName("loss", name)) as Tensor);
    const rounding = 1e-5 * Math.max(...lengths);
    expect(Math.abs(gotAlong - along), name).toBeLessThan(rounding);
    expect(Math.abs(gotLength - length), name).toBeLessThan(rounding);
  }
});
