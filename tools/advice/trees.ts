/**
 * Trains families of small networks (a base, its children and their children), for the accuracy of family trees in
 * docs/verdicts.md.
 *
 *     npx tsx --conditions=@isthmus/source tools/advice/trees.ts --out FOLDER [--plays TEXT] [--shape judged]
 *
 * Writes one line of JSON for each family to FOLDER/trees-SHAPE.jsonl, keeps trained networks in FOLDER/networks, and
 * goes on after an interruption. Everything is seeded.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Checkpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet } from "@isthmus/graph";
import { compareNetworks } from "@isthmus/recipe";
import { parseNetwork } from "@isthmus/zoo";
import { type Change, cutText, drawChanged, readText } from "./examples.ts";
import { readLines } from "./measured-merge.ts";
import { keep, type Training, trainOn } from "./worlds.ts";

/**
 * Parents of the networks of a family, by position. The constants of `traceDescent` were chosen on the first shape,
 * and the second is only judged.
 */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  chosen: [-1, 0, 0, 0, 1, 1, 2],
  judged: [-1, 0, 0, 1, 1, 3, 3],
};
const { values: args } = parseArgs({
  options: {
    out: { type: "string" },
    plays: { type: "string" },
    shape: { type: "string", default: "judged" },
  },
});
const PARENTS = SHAPES[args.shape] ?? [];
const { out } = args;
if (out === undefined || out === "") throw new Error("give --out FOLDER");
const folder = join(out, "networks");
await mkdir(folder, { recursive: true });
const path = join(out, `trees-${args.shape}.jsonl`);
const done = new Set((await readLines<{ readonly name: string }>(path)).map(({ name }) => name));
const engine = createOnnxRuntimeEngine();
const seeds = args.shape === "judged" ? 500 : 0;

/** Ways to train, by name. */
const WAYS: Readonly<Record<string, Pick<Training, "rate" | "epochs" | "decay">>> = {
  sgd: { rate: 0.03, epochs: 2 },
  "sgd, decay 0.001": { rate: 0.03, epochs: 2, decay: 0.001 },
  "sgd, decay 0.01": { rate: 0.03, epochs: 2, decay: 0.01 },
  adam: { rate: 0.002, epochs: 2 },
  "adamw, decay 0.1": { rate: 0.002, epochs: 2, decay: 0.1 },
};
const CHANGES: readonly Change[] = [
  {},
  { classes: [0, 1, 2, 3, 4] },
  { pixels: "inverted" },
  {},
  { classes: [0, 1, 2] },
  { noise: 0.3 },
  { pixels: "rotated" },
];

/** Trains a family, and writes the comparison of its networks. */
async function trainFamily(
  { spec, way, seed }: { readonly spec: string; readonly way: string; readonly seed: number },
  training: Pick<Training, "rate" | "epochs" | "decay">,
  dataOf: (position: number) => DataSet,
): Promise<void> {
  const name = `${spec.split(":")[0]}, ${way}`;
  if (done.has(name)) return;
  const network = parseNetwork(spec, dataOf(0));
  const networks: Checkpoint[] = [];
  for (const [i, parent] of PARENTS.entries()) {
    const start = parent < 0 ? network.initialize(seed) : networks[parent];
    if (start === undefined) throw new Error("no parent");
    const length = parent < 0 ? 2 * training.epochs : training.epochs;
    networks.push(
      await keep(folder, `${args.shape} ${name} ${i}`, () =>
        trainOn({ network, engine }, start, dataOf(i), { ...training, epochs: length, seed: seed + i }),
      ),
    );
  }
  const { pairs } = await compareNetworks(networks);
  const short = pairs.map(({ tensors: _, ...pair }) => pair);
  await appendFile(path, `${JSON.stringify({ name, spec, way, parents: PARENTS, pairs: short })}\n`);
  console.log(name);
}

const all = await openDataSet("mnist:train@12000");
const texts = await Promise.all(
  [
    ["README.md"],
    ["tools/golden/curvature.py", "tools/three-tasks/train.py"],
    ["tools/layers.json", "packages/recipe/src/index.ts"],
    args.plays === undefined ? ["CONTRIBUTING.md"] : [args.plays],
  ].map((paths) => readText(paths, 30_000)),
);
const ORDER = [0, 1, 2, 3, 3, 0, 1];
for (const [i, [way, training]] of Object.entries(WAYS).entries()) {
  for (const spec of ["mlp:48x2", "lenet"]) {
    const draw = (position: number) =>
      drawChanged(all, position === 0 ? 2500 : 1200, 50 * i + position + seeds, CHANGES[position]);
    await trainFamily({ spec, way, seed: seeds + 7 + i }, training, draw);
  }
  const cut = (position: number) =>
    cutText(position === 0 ? texts.join("\n") : (texts[ORDER[position] ?? 0] ?? ""), "text", "train");
  await trainFamily({ spec: "gpt:d2:w32:h2:c32", way, seed: seeds + 20 + i }, training, cut);
}
