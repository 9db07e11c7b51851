/**
 * Merges small networks that are trained here in many ways, and measures each result, for the table of advice in
 * docs/verdicts.md.
 *
 *     npx tsx --conditions=@isthmus/source tools/advice/measure.ts --out FOLDER [--plays TEXT] [--only mlp] [--data mnist,fashion-mnist:DIR]
 *
 * Writes one line of JSON for each merge to FOLDER/merges.jsonl, and goes on after an interruption. Everything is
 * seeded. `judge.ts` beside this file reads it.
 */
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet } from "@isthmus/graph";
import { innerProducts } from "@isthmus/interpolation";
import { MERGE_METHODS, merge } from "@isthmus/merging";
import { compareNetworks } from "@isthmus/recipe";
import { measureGradient } from "@isthmus/training";
import { align } from "@isthmus/weight-matching";
import { CANDIDATES, type Candidate } from "./candidates.ts";
import { imageWorld, type MergeCase, textWorld, type World } from "./worlds.ts";

const { values: args } = parseArgs({
  options: { out: { type: "string" }, plays: { type: "string" }, only: { type: "string", default: "" },
    data: { type: "string", default: "mnist,fashion-mnist" } },
});
const out = args.out ?? "";
if (out === "") throw new Error("give --out FOLDER");
const networks = join(out, "networks");
await mkdir(networks, { recursive: true });
const path = join(out, "merges.jsonl");
const done = new Set(
  (await readFile(path, "utf8").catch(() => "")).split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).name])),
);
const engine = createOnnxRuntimeEngine();

async function hold(network: Checkpoint): Promise<Checkpoint> {
  const tensors: Record<string, Tensor> = {};
  for (const name of network.tensors.keys()) tensors[name] = await network.read(name);
  return createCheckpoint(tensors);
}

/** Measures the share of right answers on each task. */
async function scorer({ network: { graph } }: World, tests: readonly DataSet[]) {
  const evaluators = await Promise.all(tests.map((data) => createEvaluator({ graph, engine }, data)));
  return {
    async score(network: Checkpoint): Promise<number[]> {
      const held = await hold(network);
      const accuracies: number[] = [];
      for (const evaluator of evaluators) accuracies.push(1 - (await evaluator.evaluate(held)).error);
      return accuracies;
    },
    release: () => Promise.all(evaluators.map((evaluator) => evaluator.release())),
  };
}

function isPossible({ method: name, two }: Candidate, { networks, base }: MergeCase): boolean {
  if (two && networks.length !== 2) return false;
  const method = MERGE_METHODS.get(name);
  return method !== undefined && (method.networks.base !== "required" || base !== undefined);
}

async function alignAll({ network: { graph }, symmetries }: World, networks: readonly Checkpoint[]) {
  return (await align({ graph, engine }, networks, { seed: 0, restarts: 1, symmetries, proof: "outputs" })).networks;
}

/** Cosines between gradients of the tasks at the mean of the networks, and of each with the mean step. */
async function gradientsOf({ network: { graph } }: World, { networks, examples, base }: MergeCase) {
  const linear = MERGE_METHODS.get("linear");
  if (linear === undefined) throw new Error("there is no method linear");
  const mean = await hold(merge(networks, { method: linear }));
  const short = examples.map((data) => ({ ...data, size: Math.min(64, data.size) }));
  const of = (at: Checkpoint) =>
    Promise.all(short.map((data) => measureGradient({ graph, engine }, at, data, {})));
  const tensors = [...graph.weights].filter(([, { role }]) => role === "parameter").map(([name]) => name);
  const cosines = async (gradients: readonly Checkpoint[]) =>
    innerProducts(gradients, gradients.map((_, i) => gradients.map((__, j) => Number(i === j))), { tensors });
  const atMean = await of(mean);
  const along = base === undefined ? null : await innerProducts([...atMean, mean, base], [
    ...atMean.map((_, i) => [...atMean.map((__, j) => Number(i === j)), 0, 0]),
    [...atMean.map(() => 0), 1, -1],
  ], { tensors });
  return {
    mean: await cosines(atMean),
    own: await cosines(await Promise.all(networks.map((network, i) => measureGradient({ graph, engine }, network, short[i] ?? examples[0] as DataSet, {})))),
    base: base === undefined ? null : await cosines(await of(base)),
    along,
  };
}

async function measureCase(world: World, one: MergeCase) {
  const { networks, base } = one;
  const { score, release } = await scorer(world, one.tests);
  const aligned = await alignAll(world, networks);
  const scores: Record<string, number[]> = {};
  for (const candidate of CANDIDATES) {
    if (!isPossible(candidate, one)) continue;
    const method = MERGE_METHODS.get(candidate.method);
    if (method === undefined) continue;
    const merged = merge(candidate.align ? aligned : networks, {
      method,
      parameters: candidate.parameters,
      seed: 1,
      ...(method.networks.base === "required" ? { base } : {}),
    });
    scores[candidate.name] = await score(merged);
  }
  const singles = [];
  for (const network of base === undefined ? networks : [...networks, base]) singles.push(await score(network));
  await release();
  const comparison = await compareNetworks(networks, { base });
  const gradients = await gradientsOf(world, one);
  return { name: one.name, kind: one.kind, world: one.world, networks: networks.length, scores, singles, gradients, comparison };
}

const worlds = [
  ...["mlp:48x2", "lenet"].flatMap((spec) => args.data.split(",").map((data) => [spec, () => imageWorld(spec, data, { seed: 1, engine, folder: networks })] as const)),
  ...["gpt:d1:w48:h4:c32", "gpt:d2:w32:h2:c32"].map((spec) => [spec, () => textWorld(spec, args.plays, { seed: 2, engine, folder: networks })] as const),
];
for (const [spec, open] of worlds) {
  if (!spec.startsWith(args.only)) continue;
  const world = await open();
  for await (const one of world.cases()) {
    if (done.has(one.name)) continue;
    const row = await measureCase(world, one);
    await appendFile(path, `${JSON.stringify(row)}\n`);
    const best = Object.entries(row.scores).map(([name, list]) => [name, list.reduce((a, b) => a + b) / list.length] as const).sort((a, b) => b[1] - a[1]);
    console.log(`${row.name}: ${best.slice(0, 3).map(([name, x]) => `${name} ${(100 * x).toFixed(1)}`).join(", ")}; linear ${(100 * (best.find(([name]) => name === "linear")?.[1] ?? 0)).toFixed(1)}`);
  }
}
