/**
 * Merges many networks that were trained on random halves of MNIST each, and measures loss, accuracy and calibration of
 * what comes out beside the single networks, their ensemble, and one network that was trained on everything: the
 * MergeMany experiment of Git Re-Basin (Ainsworth et al. 2023, section 5.3) in small.
 *
 *     npx tsx --conditions=@isthmus/source tools/many-networks/merge-halves.ts --out FOLDER [--networks 32]
 *         [--net mlp:256x2] [--epochs 3] [--data mnist] [--seed 0]
 *
 * Trains the networks into FOLDER unless they are there, keeps what was matched in journals there, and writes
 * `result.json`. Everything is seeded, and a run that was stopped goes on. Prints a table.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, createRandom } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { averagePredictions, predictionQuality } from "@isthmus/ensemble";
import type { ClassProbabilities } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { discoverSymmetries, permute } from "@isthmus/symmetry";
import { openJournal } from "@isthmus/tasks";
import { matchMany } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";
import { randomHalf, trainOnce } from "./train-on-halves.ts";

const { values: args } = parseArgs({
  options: {
    out: { type: "string" },
    networks: { type: "string", default: "32" },
    net: { type: "string", default: "mlp:256x2" },
    epochs: { type: "string", default: "3" },
    data: { type: "string", default: "mnist" },
    seed: { type: "string", default: "0" },
    "train-only": { type: "boolean", default: false },
  },
});
const folder = args.out ?? "";
if (folder === "") throw new Error("give --out FOLDER");

const engine = createOnnxRuntimeEngine();
const [count, seed] = [Number(args.networks), Number(args.seed)];
const all = await openDataSet(`${args.data}:train`);
const test = await openDataSet(`${args.data}:test`);
const network = parseNetwork(args.net, { exampleShape: all.exampleShape, classes: all.classes });
const { graph } = network;
const training = { network, engine, epochs: Number(args.epochs), folder };

const whole = await trainOnce(training, { name: "everything", data: all, seed });
const networks: Checkpoint[] = [];
for (let i = 0; i < count; i++) {
  const ofNetwork = createRandom(seed, `network ${i}`).integer(2 ** 32);
  const data = randomHalf(all, ofNetwork);
  networks.push(await trainOnce(training, { name: `half-${i}`, data, seed: ofNetwork }));
}
if (args["train-only"]) process.exit(0);

interface Row {
  readonly name: string;
  readonly loss: number;
  readonly accuracy: number;
  readonly ece: number;
  /** Sum over all pairs of the inner products of their weights, where networks were matched. */
  readonly objective?: number;
  readonly seconds?: number;
}

const { labels } = test.read(0, test.size);
const truth = Int32Array.from(labels as ArrayLike<number>);
const round = (value: number) => Number(value.toFixed(5));

function judge(predictions: ClassProbabilities): Omit<Row, "name"> {
  const { nll, accuracy, ece } = predictionQuality(predictions, truth);
  return { loss: round(nll), accuracy: round(accuracy), ece: round(ece) };
}

async function predict(members: readonly Checkpoint[]) {
  const single: Omit<Row, "name">[] = [];
  const [together] = await averagePredictions({ graph, engine, data: [test] }, members, {
    onNetwork: ([predictions]) => single.push(judge(predictions as ClassProbabilities)),
  });
  return { single, together: judge(together as ClassProbabilities) };
}

const rows: Row[] = [];
const { single, together } = await predict(networks);
const meanOf = (key: "loss" | "accuracy" | "ece") =>
  round(single.reduce((sum, row) => sum + row[key], 0) / single.length);
rows.push({ name: "single (mean)", loss: meanOf("loss"), accuracy: meanOf("accuracy"), ece: meanOf("ece") });
rows.push({ name: "ensemble", ...together });
rows.push({ name: "trained on everything", ...(await predict([whole])).together });
rows.push({ name: "naive mean", ...(await predict([average(networks)])).together });

const { spec } = await discoverSymmetries({ graph, engine });
for (const many of ["reference", "merge-many", "tree", "cycle"] as const) {
  const journal = await openJournal(join(folder, `${many}.json`), { many, seed, count, net: args.net });
  const started = performance.now();
  const { universe, objective } = await matchMany({ spec, graph, engine }, networks, { seed, many, journal });
  const seconds = round((performance.now() - started) / 1000);
  const aligned = networks.map((one, i) => permute(universe[i] as (typeof universe)[number], one, spec));
  const merged = (await predict([average(aligned)])).together;
  rows.push({ name: many, ...merged, objective: round(objective.after), seconds });
  process.stderr.write(`${many}: ${seconds} s\n`);
}

console.log("| | loss | accuracy | ECE | objective |\n|---|---|---|---|---|");
for (const { name, loss, accuracy, ece, objective } of rows) {
  const cells = [
    loss.toFixed(4),
    `${(100 * accuracy).toFixed(2)} %`,
    ece.toFixed(4),
    objective?.toFixed(1) ?? "",
  ];
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
const setting = { networks: count, net: args.net, epochs: Number(args.epochs), data: args.data, seed };
await writeFile(join(folder, "result.json"), `${JSON.stringify({ setting, rows, single }, null, 2)}\n`);
for (const one of [whole, ...networks]) await one.close();
