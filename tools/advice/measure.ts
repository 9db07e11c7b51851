/**
 * Merges small networks that are trained here in many ways, and measures each result, for the table of advice in
 * docs/verdicts.md.
 *
 *     npx tsx --conditions=@isthmus/source tools/advice/measure.ts --out FOLDER [--plays TEXT] [--only mlp]
 *         [--data mnist,fashion-mnist:DIR] [--characters 200000]
 *
 * Writes one line of JSON for each merge to FOLDER/merges.jsonl, keeps trained networks in FOLDER/networks, and goes on
 * after an interruption. Everything is seeded. Without a file of plays, such as Shakespeare's, there are three texts
 * instead of four; `--characters` is the most that is taken of each. `judge.ts` beside this file reads the lines.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Checkpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet } from "@isthmus/graph";
import { measureGradientSigns } from "@isthmus/merge-learning";
import { MERGE_METHODS, merge } from "@isthmus/merging";
import { compareNetworks } from "@isthmus/recipe";
import { align } from "@isthmus/weight-matching";
import { CANDIDATES, type Candidate } from "./candidates.ts";
import { type MeasuredMerge, meanOf, readLines } from "./measured-merge.ts";
import { hold, imageWorld, type MergeCase, textWorld, type World } from "./worlds.ts";

const { values: args } = parseArgs({
  options: {
    out: { type: "string", default: "" },
    plays: { type: "string" },
    only: { type: "string", default: "" },
    data: { type: "string", default: "mnist,fashion-mnist" },
    characters: { type: "string", default: "200000" },
  },
});
if (args.out === "") throw new Error("give --out FOLDER");
const folder = join(args.out, "networks");
await mkdir(folder, { recursive: true });
const path = join(args.out, "merges.jsonl");
const done = new Set((await readLines<MeasuredMerge>(path)).map(({ name }) => name));
const engine = createOnnxRuntimeEngine();

/** Prepares the share of right answers on each task. */
async function createScorer({ network: { graph } }: World, tests: readonly DataSet[]) {
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

/** Merges the networks in one way; undefined if the way needs a base that there is not, or two networks. */
function mergeBy(
  { method: name, parameters, two, align: isAligned }: Candidate,
  { networks, base }: MergeCase,
  aligned: readonly Checkpoint[],
): Checkpoint | undefined {
  const method = MERGE_METHODS.get(name);
  if (method === undefined || (two && networks.length !== 2)) return undefined;
  const needsBase = method.networks.base === "required";
  if (needsBase && base === undefined) return undefined;
  const merged = isAligned ? aligned : networks;
  return merge(merged, { method, parameters, seed: 1, ...(needsBase ? { base } : {}) });
}

async function measureCase(world: World, one: MergeCase): Promise<MeasuredMerge> {
  const { name, kind, networks, base } = one;
  const architecture = { graph: world.network.graph, engine };
  const { score, release } = await createScorer(world, one.tests);
  const matching = { seed: 0, restarts: 1, symmetries: world.symmetries, proof: "outputs" } as const;
  const aligned = (await align(architecture, networks, matching)).networks;
  const scores: Record<string, number[]> = {};
  for (const candidate of CANDIDATES) {
    const merged = mergeBy(candidate, one, aligned);
    if (merged !== undefined) scores[candidate.name] = await score(merged);
  }
  const singles: number[][] = [];
  for (const network of base === undefined ? networks : [...networks, base])
    singles.push(await score(network));
  await release();
  return {
    ...{ name, kind, world: world.name, scores, singles },
    gradients: await measureGradientSigns(architecture, networks, one.examples, { base }),
    comparison: await compareNetworks(networks, { base }),
  };
}

const images = ["mlp:48x2", "lenet"].flatMap((spec) =>
  args.data
    .split(",")
    .map((data) => ({ spec, open: () => imageWorld(spec, data, { seed: 1, engine, folder }) })),
);
const texts = { plays: args.plays, characters: Number(args.characters) };
const languages = ["gpt:d1:w48:h4:c32", "gpt:d2:w32:h2:c32"].map((spec) => ({
  spec,
  open: () => textWorld(spec, texts, { seed: 2, engine, folder }),
}));
for (const { spec, open } of [...images, ...languages]) {
  if (!spec.startsWith(args.only)) continue;
  const world = await open();
  for await (const one of world.cases()) {
    if (done.has(one.name)) continue;
    const row = await measureCase(world, one);
    await appendFile(path, `${JSON.stringify(row)}\n`);
    const points = (name: string) => 100 * meanOf(row.scores[name] ?? [0]);
    const ranked = Object.keys(row.scores).sort((a, b) => points(b) - points(a));
    const best = ranked.slice(0, 3).map((way) => `${way} ${points(way).toFixed(1)}`);
    console.log(`${row.name}: ${best.join(", ")}; linear ${points("linear").toFixed(1)}`);
  }
}
