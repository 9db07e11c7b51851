/**
 * Moves a fine-tune to a base of another width, and measures its accuracy beside that base alone, that base fine-tuned
 * itself, and controls that move the task vector by random maps, by padding with zeros, or by the plans of `fuse`.
 *
 *     npx isthmus train --net vit:p7:d3:w96:h4 --data fashion-mnist:train@10000 --optimizer adamw --epochs 4 --batch 50 --seed 0 -o a.safetensors
 *     npx isthmus train --net vit:p7:d3:w128:h4 --data fashion-mnist:train@10000 --optimizer adamw --epochs 4 --batch 50 --seed 1 -o b.safetensors
 *     npx tsx --conditions=@isthmus/source tools/transfer/widths.ts a.safetensors b.safetensors --out widths.csv \
 *         [--data fashion-mnist] [--train 5000] [--epochs 2] [--optimizer adamw] [--rate 0.0005] [--test 2000] [--match 1000] \
 *         [--tasks inverted,rotated,shifted] [--save FOLDER] [--mix] [--embeddings]
 *
 * The graph of each base lies beside it, as .onnx. Bases share their classes. Tasks are the ones of `run.ts`: images are inverted,
 * rotated or shifted. Maps are found on images that were not changed and have no labels; scales are chosen on 500 changed training
 * images with labels, and everything is measured on test images. Of a text (`--data text:FILE,context=48`) the task is to read it
 * backwards; bases were trained on its first 4,000 windows, and the task is of later ones. All is seeded. Prints one line of CSV for each network: the task,
 * the network, the scale, accuracy and loss on changed images, accuracy on unchanged ones, and the error of base A at the width of B.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { MAP_METHODS, transferAcrossWidths } from "@isthmus/fusion";
import { createEvaluator, type DataSet, readGraph } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import { train } from "@isthmus/training";
import { changeImages, drawExamples, reverseTexts, sliceExamples, TASKS } from "./tasks.ts";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string" },
    data: { type: "string", default: "fashion-mnist" },
    train: { type: "string", default: "5000" },
    epochs: { type: "string", default: "2" },
    optimizer: { type: "string", default: "adamw" },
    rate: { type: "string", default: "0.0005" },
    batch: { type: "string", default: "50" },
    test: { type: "string", default: "2000" },
    match: { type: "string", default: "1000" },
    scales: { type: "string", default: "0.5,1,1.5,2,3,4" },
    tasks: { type: "string", default: TASKS.join(",") },
    save: { type: "string" },
    mix: { type: "boolean", default: false },
    embeddings: { type: "boolean", default: false },
  },
});
const [pathA = "", pathB = ""] = positionals;
if (pathB === "") throw new Error("give two bases, A and B");

const engine = createOnnxRuntimeEngine();
const scales = args.scales.split(",").map(Number);
const training = await openDataSet(`${args.data}:train`);
const test = await openDataSet(`${args.data}:test@${args.test}`);
const isText = training.vocabulary !== undefined;
/** The first windows of a text, on which bases were trained, are left out of its tasks. */
const TRAINED = 4000;
const unlabelled = isText
  ? sliceExamples(training, 0, Number(args.match))
  : drawExamples(training, Number(args.match), 3);

/** Returns changed training and test examples of a task. */
function examplesOf(task: string): { readonly drawn: DataSet; readonly changed: DataSet } {
  const count = Number(args.train) + 500;
  if (isText) {
    return {
      drawn: reverseTexts(sliceExamples(training, TRAINED, TRAINED + count)),
      changed: reverseTexts(test),
    };
  }
  const known = TASKS.find((name) => name === task);
  if (known === undefined) throw new Error(`no task "${task}": take ${TASKS.join(", ")}`);
  return {
    drawn: changeImages(drawExamples(training, count, 1), known),
    changed: changeImages(test, known),
  };
}

async function openBase(path: string) {
  const { graph } = await readGraph(path.replace(/\.safetensors$/, ".onnx"));
  const architecture = { graph, engine };
  return {
    ...architecture,
    base: await openCheckpoint(path),
    symmetries: await discoverSymmetries(architecture),
    evaluators: new Map<DataSet, Awaited<ReturnType<typeof createEvaluator>>>(),
  };
}
type Base = Awaited<ReturnType<typeof openBase>>;
const [a, b] = [await openBase(pathA), await openBase(pathB)];

/** Fine-tunes a base, or opens the fine-tune that an earlier run saved. */
async function fineTune(name: string, { graph, base }: Base, data: DataSet): Promise<Checkpoint> {
  const saved = args.save === undefined ? undefined : join(args.save, `${name}.safetensors`);
  if (saved !== undefined && existsSync(saved)) return openCheckpoint(saved);
  const { weights } = await train({ graph, engine }, base, data, {
    seed: 7,
    batch: Number(args.batch),
    epochs: Number(args.epochs),
    optimizer:
      args.optimizer === "adamw" ? { kind: "adamw" } : { kind: "sgd", momentum: 0.9, weightDecay: 0 },
    schedule: { kind: "cosine", learningRate: Number(args.rate) },
  });
  return weights;
}

async function score({ graph, evaluators }: Base, network: Checkpoint, data: DataSet) {
  const evaluator = evaluators.get(data) ?? (await createEvaluator({ graph, engine }, data));
  evaluators.set(data, evaluator);
  const { loss, error } = await evaluator.evaluate(network);
  return { accuracy: (1 - error).toFixed(4), loss: loss.toFixed(4) };
}

const lines = ["task,network,scale,accuracy,loss,accuracy before,error of A at B's width"];

function print(line: string): void {
  lines.push(line);
  console.log(line);
}

async function runTask(task: string): Promise<void> {
  const { drawn, changed } = examplesOf(task);
  const tuning = sliceExamples(drawn, 0, drawn.size - 500);
  const valid = sliceExamples(drawn, drawn.size - 500, drawn.size);
  const measure = async (
    name: string,
    base: Base,
    network: Checkpoint,
    rest: { scale?: number; error?: number } = {},
  ) => {
    const [after, before] = [await score(base, network, changed), await score(base, network, test)];
    const { scale = "", error } = rest;
    const shown = error === undefined ? "" : error.toExponential(1);
    print([task, `"${name}"`, scale, after.accuracy, after.loss, before.accuracy, shown].join(","));
    if (args.save === undefined) return;
    const path = join(args.save, `${task}-${name.replace(/\W+/g, "-")}.safetensors`);
    await mkdir(args.save, { recursive: true });
    if (!network.files.includes(path)) await saveCheckpoint(network, path, { overwrite: true });
  };
  const tunedA = await fineTune(`${task}-tuned-A`, a, tuning);
  const tunedB = await fineTune(`${task}-base-B-fine-tuned-itself`, b, tuning);
  await measure("base A", a, a.base);
  await measure("tuned A", a, tunedA);
  await measure("base B", b, b.base);
  await measure("base B fine-tuned itself", b, tunedB);
  for (const mixUnits of args.mix ? [false, true] : [false]) {
    for (const maps of MAP_METHODS) {
      if (mixUnits && maps !== "activations" && maps !== "weights") continue;
      const { network, summary } = await transferAcrossWidths({ ...a, tuned: tunedA }, b, {
        maps,
        mixUnits,
        moveEmbeddings: args.embeddings,
        matchData: unlabelled,
        matchExamples: unlabelled.size,
        data: valid,
        scale: scales,
      });
      const name = `base B with the task, maps by ${maps}${mixUnits ? ", hidden units mixed" : ""}`;
      await measure(name, b, network, summary);
    }
  }
}

print(lines.pop() ?? "");
for (const task of isText ? ["reversed"] : args.tasks.split(",")) await runTask(task);
if (args.out !== undefined) await writeFile(args.out, `${lines.join("\n")}\n`);
for (const { evaluators } of [a, b]) for (const evaluator of evaluators.values()) await evaluator.release();
