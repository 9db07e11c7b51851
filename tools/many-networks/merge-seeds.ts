/**
 * Merges networks of one architecture that learned the same examples from different seeds, and measures how the ways to
 * match many networks compare: several starts of the relaxation, activations in place of weights, and the loss of the
 * merged network as the judge between starts. The statistics of batch norms are measured again, and REPAIR is applied.
 *
 *     npx tsx --conditions=@isthmus/source tools/many-networks/merge-seeds.ts --out FOLDER [--net vgg:1-1-2:w0.25]
 *         [--data mnist] [--examples 5000] [--test 2000] [--epochs 2] [--batch 64] [--networks 10] [--sets 2]
 *         [--restarts 8] [--seed 0] [--train-only]
 *
 * The networks are divided into `--sets` sets of equal size, each of which is merged by every way. Merged networks are
 * judged, and norms measured, on the first 1,000 training examples, and accuracies are on the first `--test` test
 * examples, means over sets; lines of "reference" are means over all references. Networks are kept in FOLDER, so
 * that a run that was stopped goes on. Everything is seeded. Prints a table.
 */
import { parseArgs } from "node:util";
import { at, type Checkpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, limitExamples } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { createRepairer, recalibrateBatchNorm } from "@isthmus/statistics";
import { type Alignment, discoverSymmetries, permute, wholeSpec } from "@isthmus/symmetry";
import { type AlignManyOptions, alignMany, matchMany } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";
import { trainOnce } from "./train-on-halves.ts";

const { values: args } = parseArgs({
  options: {
    out: { type: "string" },
    net: { type: "string", default: "vgg:1-1-2:w0.25" },
    data: { type: "string", default: "mnist" },
    examples: { type: "string", default: "5000" },
    test: { type: "string", default: "2000" },
    epochs: { type: "string", default: "2" },
    batch: { type: "string", default: "64" },
    networks: { type: "string", default: "10" },
    sets: { type: "string", default: "2" },
    restarts: { type: "string", default: "8" },
    seed: { type: "string", default: "0" },
    "train-only": { type: "boolean", default: false },
  },
});
const folder = args.out ?? "";
if (folder === "") throw new Error("give --out FOLDER");
const [seed, restarts] = [Number(args.seed), Number(args.restarts)];
const engine = createOnnxRuntimeEngine();
const examples = await openDataSet(`${args.data}:train@${args.examples}`);
const { graph, initialize } = parseNetwork(args.net, examples);
const architecture = { graph, engine };
const training = {
  network: { graph, initialize },
  engine,
  epochs: Number(args.epochs),
  batch: Number(args.batch),
  folder,
};
const networks: Checkpoint[] = [];
for (let i = 0; i < Number(args.networks); i++) {
  networks.push(await trainOnce(training, { name: `seed-${seed + i}`, data: examples, seed: seed + i }));
}
if (args["train-only"]) process.exit(0);

const options = { threads: 1 };
const few = limitExamples("measure norms", examples, 1000);
const test = await createEvaluator(
  architecture,
  await openDataSet(`${args.data}:test@${args.test}`),
  options,
);
const judge = await createEvaluator(architecture, few, options);
const symmetries = await discoverSymmetries(architecture);
const spec = wholeSpec(symmetries);

/** A mean of networks that were matched in one way. */
interface Merged {
  /** Sum over all pairs of inner products of weights as matched; undefined if there is none to compare. */
  readonly objective?: number;
  /** Loss on the training examples, with norms measured again. */
  readonly judged: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly repaired: number;
}

async function measure(aligned: readonly Checkpoint[], objective?: number): Promise<Merged> {
  const mean = average([...aligned]);
  const measured = await recalibrateBatchNorm(architecture, mean, few, options);
  const { loss, error } = await test.evaluate(measured);
  const repairer = await createRepairer(architecture, aligned, few, options);
  const repaired = await test.evaluate(
    await repairer.repair(
      mean,
      aligned.map(() => 1 / aligned.length),
    ),
  );
  const judged = (await judge.evaluate(measured)).loss;
  return {
    loss,
    accuracy: 1 - error,
    repaired: 1 - repaired.error,
    judged,
    ...(objective !== undefined && { objective }),
  };
}

/** Merges a set of networks in every way. */
async function mergeSet(set: readonly Checkpoint[]): Promise<Map<string, Merged[]>> {
  const rows = new Map<string, Merged[]>();
  const placed = (universe: readonly Alignment[]) =>
    set.map((network, i) => permute(at(universe, i, "network"), network, spec));
  rows.set("mean, not matched", [await measure(set)]);
  const byReference: Merged[] = [];
  for (const reference of set.keys()) {
    const { universe, scaledObjective } = await matchMany({ spec, graph, engine }, set, {
      seed,
      many: "reference",
      reference,
    });
    byReference.push(await measure(placed(universe), scaledObjective.after));
  }
  rows.set("reference", byReference);
  const merged = await matchMany({ spec, graph, engine }, set, { seed, many: "merge-many" });
  rows.set("merge-many", [await measure(placed(merged.universe), merged.scaledObjective.after)]);
  const starts: Merged[] = [];
  const { searches } = await matchMany({ spec, graph, engine }, set, {
    seed,
    many: "cycle",
    starts: restarts,
    async judge(universe) {
      const one = await measure(placed(universe));
      starts.push(one);
      return one.judged;
    },
  });
  const measured = starts.map((one, i) => ({ ...one, objective: at(searches, i, "search").objective }));
  addStarts(rows, "cycle", measured);
  const byActivations = async (choice: Omit<AlignManyOptions, "seed">) => {
    const { aligned } = await alignMany(architecture, set, {
      seed,
      method: "activation",
      data: few,
      symmetries,
      proof: "outputs",
      ...choice,
    });
    return measure(aligned.map(({ network }) => network));
  };
  const byActivationsOfReference: Merged[] = [];
  for (const reference of set.keys()) {
    byActivationsOfReference.push(await byActivations({ many: "reference", reference }));
  }
  rows.set("reference by activations", byActivationsOfReference);
  rows.set("cycle by activations, 1 start", [await byActivations({ many: "cycle" })]);
  for (const judge of ["objective", "merged"] as const) {
    const name = judge === "merged" ? ", by merged loss" : "";
    rows.set(`cycle by activations, ${restarts} starts${name}`, [
      await byActivations({ many: "cycle", starts: restarts, judge }),
    ]);
  }
  return rows;
}

/** Adds the first start, the one of the greatest objective, and the one whose mean has the least loss. */
function addStarts(rows: Map<string, Merged[]>, name: string, starts: readonly Merged[]): void {
  const best = (key: (one: Merged) => number) => starts.reduce((a, b) => (key(b) > key(a) ? b : a));
  rows.set(`${name}, 1 start`, starts.slice(0, 1));
  rows.set(`${name}, mean over ${starts.length} starts`, [...starts]);
  rows.set(`${name}, ${starts.length} starts`, [best(({ objective = 0 }) => objective)]);
  rows.set(`${name}, ${starts.length} starts, by merged loss`, [best(({ judged }) => -judged)]);
}

const size = Math.floor(networks.length / Number(args.sets));
const all = new Map<string, Merged[]>();
for (let k = 0; k < Number(args.sets); k++) {
  for (const [name, rows] of await mergeSet(networks.slice(k * size, (k + 1) * size))) {
    all.set(name, [...(all.get(name) ?? []), ...rows]);
  }
  process.stderr.write(`merged set ${k + 1} of ${args.sets}\n`);
}
const singles: number[] = [];
for (const network of networks) singles.push(1 - (await test.evaluate(network)).error);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const cpu = process.cpuUsage();
console.log(
  `${args.net}, ${args.data}, ${networks.length} networks in ${args.sets} sets of ${size}, seed ${seed}; single ${mean(singles).toFixed(4)}; ${Math.round((cpu.user + cpu.system) / 1e6)} CPU s`,
);
console.log(
  "\n| matched | objective | loss | accuracy, norms measured | least | most | accuracy, REPAIR |\n|---|---|---|---|---|---|---|",
);
for (const [name, rows] of all) {
  const accuracies = rows.map(({ accuracy }) => accuracy);
  const objectives = rows.flatMap(({ objective }) => (objective === undefined ? [] : [objective]));
  const cells = [
    objectives.length === 0 ? "" : mean(objectives).toFixed(2),
    mean(rows.map(({ loss }) => loss)).toFixed(4),
    mean(accuracies).toFixed(4),
    Math.min(...accuracies).toFixed(4),
    Math.max(...accuracies).toFixed(4),
    mean(rows.map(({ repaired }) => repaired)).toFixed(4),
  ];
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
for (const network of networks) await network.close();
