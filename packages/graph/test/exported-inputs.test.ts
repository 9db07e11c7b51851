import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { predictBarriers } from "@isthmus/barrier";
import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  bindNetworks,
  type DataSet,
  type Evaluation,
  freeBatch,
  type Graph,
  readGraph,
  scoreOutput,
} from "@isthmus/graph";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { discoverSymmetries, permute, randomAlignment, verifySymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { openFilesOf } from "../../../test/helpers/open-files.ts";

const engine = createOnnxRuntimeEngine();

// Files that golden/generate-inputs.py wrote, with what PyTorch computes.
const FOLDER = fileURLToPath(new URL("../../../test/fixtures/inputs/", import.meta.url));
const EXPORTS = readdirSync(FOLDER).filter((name) => name.endsWith(".onnx"));

const openFile = openFilesOf(FOLDER);

/** A graph, freed if it can be, with both networks and their examples. */
async function openExport(file: string) {
  const [name = ""] = file.split("-");
  const decoded = await readGraph(`${FOLDER}${file}`);
  const checkpoints = [await openFile(`${name}-0.safetensors`), await openFile(`${name}-1.safetensors`)];
  const bound = await bindNetworks(decoded, checkpoints);
  const networks = bound.networks.map(({ network }) => network);
  const freed = await freeBatch({ graph: bound.graph, engine }, { weights: networks[0] });
  const inputs = decoded.graph.inputs.map((input) => input.name);
  const data = await openDataSet(`safetensors:${FOLDER}${name}-examples.safetensors`, { inputs });
  const scored = (graph: Graph) => (name === "speller" ? scoreOutput(graph, "logits") : graph);
  return { name, decoded, networks, data, freed, graph: scored(freed.graph), kept: scored(bound.graph) };
}

const evaluate = (graph: Graph, network: Checkpoint, data: DataSet): Promise<Evaluation> =>
  evaluateNetwork({ graph, data }, network, { batchSize: 10 });

/** Mean loss, share of errors and perplexity, as PyTorch has them for the network of a seed. */
async function scoresOf(name: string, seed: number): Promise<number[]> {
  const file = await openFile(`${name}-scores.safetensors`);
  return Array.from((await file.read(`scores${seed}`)).data as Float64Array);
}

// What exporters make of the weights of recurrent layers is not followed.
describe.each(EXPORTS.filter((file) => !file.startsWith("recurrent")))("%s", (file) => {
  test("takes any batch unless examples are numbered in it, and scores as PyTorch does", async () => {
    const { name, decoded, networks, data, freed, graph, kept } = await openExport(file);
    const batch = decoded.graph.inputs[0]?.shape?.[0];
    expect(freed.exportedBatch).toBe(typeof batch === "number" ? batch : undefined);
    const stays = file.startsWith("picker-legacy");
    expect(freed.reason ?? "").toMatch(stays ? /it combines values of different examples/ : /^$/);
    expect(typeof freed.graph.inputs[0]?.shape?.[0]).toBe(stays ? "number" : "string");
    for (const [seed, network] of networks.entries()) {
      const [loss, error, perplexity] = await scoresOf(name, seed);
      for (const own of [graph, kept]) {
        const result = await evaluate(own, network, data);
        expect(result.loss).toBeCloseTo(loss!, 6);
        expect(result.error).toBeCloseTo(error!, 9);
        if (result.perplexity !== undefined) expect(result.perplexity).toBeCloseTo(perplexity!, 4);
        expect(result.perplexity !== undefined).toBe(name === "tagger" || name === "speller");
      }
    }
  });

  test("has symmetries that hold, freed of its batch or not", async () => {
    const { networks, graph, kept, data } = await openExport(file);
    const sizes: number[][] = [];
    for (const own of [graph, kept]) {
      const found = await discoverSymmetries({ graph: own, engine });
      sizes.push(found.spec.symmetries.map(({ size }) => size));
      const weights = networks[0]!;
      expect(await verifySymmetries({ graph: own, engine }, found, { seed: 0, weights })).toMatchObject({
        passed: true,
      });
      const permuted = permute(randomAlignment(found.spec, 1), weights, found.spec);
      const { loss } = await evaluate(own, weights, data);
      expect((await evaluate(own, permuted, data)).loss).toBeCloseTo(loss, 6);
    }
    // Places that depend on data are not followed by symmetries.
    if (!file.startsWith("picker-dynamo")) expect(sizes[0]?.length).toBeGreaterThan(0);
  });
});

test.each(EXPORTS.filter((file) => file.startsWith("recurrent")))("%s takes any batch", async (file) => {
  const { graph, weights } = await readGraph(`${FOLDER}${file}`);
  const freed = await freeBatch({ graph, engine }, { weights: createCheckpoint(weights) });
  expect(freed).toMatchObject({ exportedBatch: graph.inputs[0]?.shape?.[0] });
  expect(freed.reason).toBeUndefined();
});

test("batch norms of a graph that keeps its batch are measured on the examples alone", async () => {
  const fixed = await openExport("picker-legacy-2.onnx");
  const free = await openExport("picker-dynamo-2.onnx");
  expect(fixed.freed.reason).toBeDefined();
  expect(free.freed.reason).toBeUndefined();
  const measure = async ({ graph, networks, data }: typeof fixed) =>
    recalibrateBatchNorm({ graph, engine }, networks[0]!, data, {
      batchSize: 7,
    });
  const [one, two] = [await measure(fixed), await measure(free)];
  for (const statistic of ["norm.running_mean", "norm.running_var"]) {
    const expected = Array.from((await two.read(statistic)).data as Float32Array);
    expect(Array.from((await one.read(statistic)).data as Float32Array)).toEqual(
      expected.map((value) => expect.closeTo(value, 6)),
    );
  }
});

test("derivatives of the loss leave out what fills up a batch, and positions that do not count", async () => {
  const expand = async (file: string, of: "kept" | "graph") => {
    const opened = await openExport(file);
    const [a, b] = opened.networks as [Checkpoint, Checkpoint];
    const { data } = opened;
    const { ends } = await predictBarriers({ graph: opened[of], engine }, [a, b], data, { batchSize: 10 });
    return { ends, loss: (await evaluate(opened[of], a, data)).loss };
  };
  for (const [kept, free] of [
    ["picker-legacy-2.onnx", "picker-legacy-1.onnx"],
    ["tagger-dynamo-2.onnx", "tagger-dynamo-any.onnx"],
    ["speller-legacy-2.onnx", "speller-legacy-any.onnx"],
  ] as const) {
    const [one, two] = [await expand(kept, "kept"), await expand(free, "graph")];
    expect(one.ends[0].loss).toBeCloseTo(one.loss, 5);
    for (const end of [0, 1] as const) {
      const numbers = [one, two].map(({ ends }) => [
        ends[end].loss,
        ...ends[end].slopes,
        ...ends[end].curvatures.flat(),
      ]);
      expect(numbers[0]).toEqual(numbers[1]!.map((value) => expect.closeTo(value, 4)));
    }
  }
});
