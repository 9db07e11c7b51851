/**
 * Brings networks from different seeds into one space in several ways, and measures on test examples what their mean
 * computes, beside single networks and the ensemble of all.
 *
 *     for s in 0 1 2 3; do npx isthmus train --net vit:p7:d3:w48:h2 --data fashion-mnist:train@20000 --eval-data none --epochs 3 \
 *         --batch 64 --optimizer adamw --weight-decay .05 --lr .001 --seed $s -o vit-s$s.safetensors; done
 *     npx tsx --conditions=@isthmus/source tools/one-space/run.ts --graph vit-s0.onnx --data fashion-mnist:train \
 *         --test fashion-mnist:test@2000 --out vits.json vit-s?.safetensors
 *
 *     for s in 0 1 2 3; do npx isthmus train --net gpt:d2:w64:h4:c48:untied --data text:plays.txt:train@12000 --eval-data none \
 *         --epochs 1 --batch 16 --optimizer adamw --lr .003 --seed $s -o gpt-s$s.safetensors; done
 *
 * Ways are learned from the first `--examples` of `--data`, without labels, in `--steps` steps; `--ways` chooses some of them,
 * by their names in `ways.ts`, and `--heal` the ones whose mean is distilled afterwards, in `--heal-steps` steps. With
 * `--folder` the means are kept there, to be measured by other programs. Prints one JSON line for each row; seconds are of
 * the processor. Everything is seeded.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { at, type Checkpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindArchitecture, createEvaluator, limitExamples } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { heal } from "@isthmus/merge-learning";
import { discoverSymmetries } from "@isthmus/symmetry";
import { openArchitecture } from "@isthmus/zoo";
import { measureEnsemble } from "./ensemble.ts";
import { WAYS, type WayOptions } from "./ways.ts";

const { values: args, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: {
    graph: { type: "string", default: "" },
    data: { type: "string", default: "" },
    test: { type: "string", default: "" },
    context: { type: "string", default: "" },
    out: { type: "string", default: "" },
    folder: { type: "string", default: "" },
    ways: { type: "string", default: Object.keys(WAYS).join(";") },
    heal: { type: "string", default: "as trained;permuted;to the first;jointly" },
    "heal-steps": { type: "string", default: "300" },
    examples: { type: "string", default: "3000" },
    steps: { type: "string", default: "300" },
    seed: { type: "string", default: "0" },
  },
});
if (args.out === "" || paths.length < 2)
  throw new Error("give --graph GRAPH --data NAME --test NAME --out FILE NETWORKS");

const engine = createOnnxRuntimeEngine();
const opened = await openArchitecture(args.graph, engine);
const bound = await bindArchitecture(opened, await Promise.all(paths.map((path) => openCheckpoint(path))));
const { graph } = bound;
const networks = bound.networks.map(({ network }) => network);
const architecture = { graph, engine };
const sizes = args.context === "" ? {} : { context: Number(args.context) };
const [data, test] = [await openDataSet(args.data, sizes), await openDataSet(args.test, sizes)];
const [steps, seed] = [Number(args.steps), Number(args.seed)];
const symmetries = await discoverSymmetries(architecture);
const options: WayOptions = { data, examples: Number(args.examples), steps, seed, symmetries };
const evaluator = await createEvaluator(architecture, test);
const rows: object[] = [];

const round = (value: number): number => Number(value.toFixed(4));

function push(row: object): void {
  rows.push(row);
  console.log(JSON.stringify(row));
}

async function scoreOf(network: Checkpoint) {
  const { loss, error } = await evaluator.evaluate(network);
  return { loss: round(loss), error: round(error) };
}

/** Seconds of the processor that work takes. */
async function timed<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpuSeconds: number }> {
  const began = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(began);
  return { result, cpuSeconds: Math.round((user + system) / 1e6) };
}

const singles: { loss: number; error: number }[] = [];
for (const network of networks) singles.push(await scoreOf(network));
const meanOf = (list: readonly { loss: number; error: number }[], key: "loss" | "error") =>
  round(list.reduce((sum, score) => sum + score[key], 0) / list.length);
const single = { loss: meanOf(singles, "loss"), error: meanOf(singles, "error") };
push({ what: "single networks, their mean loss", ...single, each: singles });
push({ what: "ensemble of all", ...(await measureEnsemble(architecture, networks, test)) });

/** Loss half-way above the mean of both ends, averaged over all pairs. */
async function risesOf(moved: readonly Checkpoint[]) {
  const rises: number[] = [];
  for (let i = 0; i < moved.length; i++) {
    for (let j = i + 1; j < moved.length; j++) {
      const { loss } = await scoreOf(average([at(moved, i, "network"), at(moved, j, "network")]));
      rises.push(loss - (at(singles, i, "network").loss + at(singles, j, "network").loss) / 2);
    }
  }
  return {
    mean: round(rises.reduce((sum, rise) => sum + rise, 0) / rises.length),
    most: round(Math.max(...rises)),
  };
}

if (args.folder !== "") await mkdir(args.folder, { recursive: true });
const healed = args.heal.split(";");
for (const name of args.ways.split(";")) {
  const way = WAYS[name];
  if (way === undefined) throw new Error(`there is no way "${name}"`);
  const { result: moved, cpuSeconds } = await timed(() => way(architecture, networks, options));
  const mean = average(moved);
  if (args.folder !== "")
    await saveCheckpoint(mean, join(args.folder, `${name.replaceAll(" ", "-")}.safetensors`), {
      overwrite: true,
    });
  push({ what: "mean", way: name, ...(await scoreOf(mean)), pairs: await risesOf(moved), cpuSeconds });
  if (!healed.includes(name) || Number(args["heal-steps"]) === 0) continue;
  const experts = networks.map((weights, i) => ({
    ...{ path: at(paths, i, "path"), architecture, weights },
    data: limitExamples("heal", data, options.examples),
    evaluationData: limitExamples("heal", test, 64),
  }));
  const healing = { path: name, network: mean, experts, restore: (weights: Checkpoint) => weights };
  const taught = await timed(() => heal(healing, { steps: Number(args["heal-steps"]), seed }));
  const score = await scoreOf(taught.result.weights);
  push({ what: "mean, distilled", way: name, ...score, cpuSeconds: taught.cpuSeconds });
}
await evaluator.release();
await writeFile(args.out, `${JSON.stringify({ args, networks: paths, rows }, undefined, 2)}\n`);
