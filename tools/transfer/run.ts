/**
 * Moves a fine-tune from one base to another, and measures what becomes of it on Fashion-MNIST beside adding it as it
 * is, with and without the mask of GradFix, and beside fine-tuning the new base itself.
 *
 *     for s in 0 1; do npx isthmus train --net mlp:256x3 --data fashion-mnist --epochs 4 --seed $s -o mlp-s$s.safetensors; done
 *     npx tsx --conditions=@isthmus/source tools/transfer/run.ts --graph mlp-s0.onnx mlp-s0.safetensors mlp-s1.safetensors \
 *         --out mlp.json [--data fashion-mnist] [--train 10000] [--epochs 2] [--test 5000] [--few 100] [--rate 0.02]
 *
 * The first network is fine-tuned on images that are inverted, rotated by 90 degrees, or
 * shifted by four pixels. Everything is seeded.
 * Scales are chosen on 500 changed training examples, and all are measured on test examples. Prints one JSON line for
 * each network. `results.csv` beside this file has all of these networks at the defaults, and the first task of a CNN
 * with batch norms (`--train 4000 --test 2000 --scales 0.25,0.5,1,1.5`).
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { transferTask } from "@isthmus/fusion";
import { bindArchitecture, createEvaluator, type DataSet } from "@isthmus/graph";
import { countBatchNorms, recalibrateBatchNorm } from "@isthmus/statistics";
import { discoverSymmetries } from "@isthmus/symmetry";
import { train } from "@isthmus/training";
import type { AlignOptions } from "@isthmus/weight-matching";
import { openArchitecture } from "@isthmus/zoo";
import { changeImages, drawExamples, type Row, sliceExamples, TASKS, type Task } from "./tasks.ts";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    graph: { type: "string", default: "" },
    out: { type: "string", default: "" },
    data: { type: "string", default: "fashion-mnist" },
    train: { type: "string", default: "10000" },
    epochs: { type: "string", default: "2" },
    rate: { type: "string", default: "0.02" },
    test: { type: "string", default: "5000" },
    few: { type: "string", default: "100" },
    scales: { type: "string", default: "0.25,0.5,0.75,1,1.25,1.5" },
  },
});
const [pathA = "", pathB = ""] = positionals;
if (args.out === "" || pathB === "") throw new Error("give --graph GRAPH A B --out FILE");

const engine = createOnnxRuntimeEngine();
const opened = await openArchitecture(args.graph, engine);
const checkpoints = await Promise.all([pathA, pathB].map((path) => openCheckpoint(path)));
const { graph, networks } = await bindArchitecture(opened, checkpoints);
const [baseA, baseB] = networks.map(({ network }) => network) as [Checkpoint, Checkpoint];
const architecture = { graph, engine };
const symmetries = await discoverSymmetries(architecture);
const hasNorms = countBatchNorms(graph) > 0;
const scales = args.scales.split(",").map(Number);

const training = await openDataSet(`${args.data}:train`);
const test = await openDataSet(`${args.data}:test@${args.test}`);
const rows: Row[] = [];

async function fineTune(network: Checkpoint, data: DataSet): Promise<Checkpoint> {
  const { weights } = await train(architecture, network, data, {
    seed: 7,
    batch: Math.min(100, data.size),
    epochs: Number(args.epochs),
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0 },
    schedule: { kind: "cosine", learningRate: Number(args.rate) },
  });
  return weights;
}

async function runTask(task: Task): Promise<void> {
  const drawn = changeImages(drawExamples(training, Number(args.train) + 500, 1), task);
  const tuning = sliceExamples(drawn, 0, drawn.size - 500);
  const valid = sliceExamples(drawn, drawn.size - 500, drawn.size);
  const few = drawExamples(valid, Number(args.few), 2);
  const changed = changeImages(test, task);
  const evaluators = [
    await createEvaluator(architecture, changed),
    await createEvaluator(architecture, test),
  ];
  const score = async (network: Checkpoint, index: number) => {
    const { loss, error } = await (evaluators[index] as (typeof evaluators)[number]).evaluate(network);
    return { accuracy: round(1 - error), loss: round(loss) };
  };
  const measure = async (name: string, network: Checkpoint, scale?: number): Promise<void> =>
    push({ task, name, scale, ...(await score(network, 0)), before: await score(network, 1) });

  const [tunedA, tunedB] = [await fineTune(baseA, tuning), await fineTune(baseB, tuning)];
  await measure("base A", baseA);
  await measure("tuned A", tunedA);
  await measure("base B", baseB);
  if (hasNorms) await measure("base B, recalibrated", await recalibrateBatchNorm(architecture, baseB, valid));
  await measure("base B fine-tuned itself", tunedB);
  await measure(`base B fine-tuned on the ${args.few} examples of the mask`, await fineTune(baseB, few));

  const alignments: Record<string, AlignOptions | false> = {
    naive: false,
    "aligned by weights": { seed: 0, symmetries },
    "aligned by activations": { seed: 0, symmetries, method: "activation", data: training, examples: 2000 },
  };
  for (const [name, align] of Object.entries(alignments)) {
    for (const maskBySign of [undefined, few]) {
      for (const recalibrate of hasNorms ? [undefined, valid] : [undefined]) {
        const title = `${name}${maskBySign ? ", masked" : ""}${recalibrate ? ", recalibrated" : ""}`;
        const options = { align, maskBySign, recalibrate, scale: scales } as const;
        const trio = { baseA, tunedA, baseB };
        const all = await transferTask(architecture, trio, { ...options, data: changed });
        for (const { scale, loss, error } of all.summary.tried.slice(1)) {
          push({ task, name: title, scale, accuracy: round(1 - error), loss: round(loss) });
        }
        const best = await transferTask(architecture, trio, { ...options, data: valid });
        const { task: vector, alignment, scale } = best.summary;
        await measure(`${title}, at the scale chosen on 500 examples`, best.network, scale);
        console.error(JSON.stringify({ task, title, vector, objective: alignment?.objective }));
      }
    }
  }
  for (const evaluator of evaluators) await evaluator.release();
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function push(row: Row): void {
  rows.push(row);
  console.log(JSON.stringify(row));
}

for (const task of TASKS) await runTask(task);
await writeFile(args.out, `${JSON.stringify({ args, networks: [pathA, pathB], rows }, undefined, 2)}\n`);
