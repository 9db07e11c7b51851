/**
 * Merges two networks that were trained on different halves of the classes of Fashion-MNIST in part, at several
 * widths, and measures accuracy on all classes beside other merges and the ensemble.
 *
 *     npx tsx --conditions=@isthmus/source tools/partial-merging/run.ts --out FOLDER [--data fashion-mnist] [--epochs 4]
 *         [--width 0.25] [--examples 500] [--test 10000]
 *
 * Trains the networks into FOLDER unless they are there, and writes `result.json` and `curve.csv` there. Everything is
 * seeded. Prints one JSON line for each merge. `curve.csv` beside this file is of the defaults with `--test 5000`.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, saveCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { mergePartially } from "@isthmus/fusion";
import { createEvaluator, type DataSet, encodeGraph, type Graph } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { createRepairer, recalibrateBatchNorm } from "@isthmus/statistics";
import { discoverSymmetries } from "@isthmus/symmetry";
import { vgg } from "@isthmus/zoo";
import { selectClasses } from "./class-halves.ts";
import { HALVES, trainHalves } from "./train-halves.ts";

const { values: args } = parseArgs({
  options: {
    out: { type: "string" },
    data: { type: "string", default: "fashion-mnist" },
    epochs: { type: "string", default: "4" },
    width: { type: "string", default: "0.25" },
    examples: { type: "string", default: "500" },
    test: { type: "string", default: "10000" },
    widths: { type: "string", default: "1,1.2,1.5,2" },
  },
});
const out = args.out ?? "";
if (out === "") throw new Error("give --out FOLDER");

const engine = createOnnxRuntimeEngine();
const examples = Number(args.examples);
const train = await openDataSet(`${args.data}:train`);
const test = await openDataSet(`${args.data}:test@${args.test}`);
const shape = { exampleShape: [1, 28, 28], classes: 10 };
const network = vgg({ stages: [1, 1, 2], width: Number(args.width) }, shape);
const { graph } = network;
const [a, b] = (await trainHalves({ network, engine, epochs: Number(args.epochs) }, train, out)) as [
  Checkpoint,
  Checkpoint,
];
// As many examples of each half, for recalibration and fits.
const halves = HALVES.map((classes) => selectClasses(train, classes, examples)) as [DataSet, DataSet];
const both = await openDataSet(`${args.data}:train@${2 * examples}`);

interface Row {
  readonly name: string;
  readonly width: number;
  readonly parameters: number;
  readonly accuracy: number;
  readonly loss: number;
  readonly seconds?: number | undefined;
}

const rows: Row[] = [];

async function measure(
  name: string,
  width: number,
  merged: { graph: Graph; network: Checkpoint },
  seconds?: number,
) {
  const evaluator = await createEvaluator({ graph: merged.graph, engine }, test);
  const { error, loss } = await evaluator.evaluate(merged.network);
  await evaluator.release();
  const parameters = [...merged.graph.weights.values()]
    .filter(({ role }) => role === "parameter")
    .reduce((sum, { shape: extents }) => sum + extents.reduce((product, extent) => product * extent, 1), 0);
  const row = { name, width, parameters, accuracy: 1 - error, loss, seconds };
  rows.push(row);
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

const symmetries = await discoverSymmetries({ graph, engine });
await measure("A alone", 1, { graph, network: a });
await measure("B alone", 1, { graph, network: b });
const naive = average([a, b]);
await measure("naive average", 1, { graph, network: naive });
await measure("naive average, recalibrated", 1, {
  graph,
  network: await recalibrateBatchNorm({ graph, engine }, naive, both),
});

const common = { seed: 0, symmetries, data: both, method: "activation" } as const;
for (const width of args.widths.split(",").map(Number)) {
  const timed = async (options: Partial<Parameters<typeof mergePartially>[2]>) => {
    const start = performance.now();
    const merged = await mergePartially({ graph, engine }, [a, b], { ...common, width, ...options });
    return { merged, seconds: (performance.now() - start) / 1000 };
  };
  const { merged: plain, seconds } = await timed({});
  await measure("merged in part", width, plain, seconds);
  const wide = { graph: plain.graph, engine };
  await measure("merged in part, recalibrated", width, {
    graph: plain.graph,
    network: await recalibrateBatchNorm(wide, plain.network, both),
  });
  if (width === 1) {
    const repairer = await createRepairer({ graph, engine }, [a, plain.aligned], both);
    await measure("aligned, REPAIR", 1, { graph, network: await repairer.repair(plain.network, [0.5, 0.5]) });
  }
  const fitted = await timed({ fit: { examples: 2 * examples } });
  await measure("merged in part, fitted to the mean of both", width, fitted.merged, fitted.seconds);
  const tasks = await timed({ fit: { tasks: halves, examples } });
  await measure("merged in part, fitted to two tasks", width, tasks.merged, tasks.seconds);
  await saveCheckpoint(tasks.merged.network, join(out, `tasks-${width}.safetensors`), { overwrite: true });
  await writeFile(join(out, `tasks-${width}.onnx`), encodeGraph(tasks.merged.graph));
}
const twice = await mergePartially({ graph, engine }, [a, b], { seed: 0, symmetries, restarts: 1, width: 2 });
await measure("ensemble (mean of the logits)", 2, twice);
await writeFile(
  join(out, "result.json"),
  `${JSON.stringify({ args, network: network.spec, rows }, undefined, 2)}\n`,
);
const names = [...new Set(rows.map(({ name }) => name))];
const lines = names.flatMap((name) =>
  rows
    .filter((row) => row.name === name)
    .map((row) => [name, row.width, row.parameters, row.accuracy, row.loss].join(",")),
);
await writeFile(join(out, "curve.csv"), `name,width,parameters,accuracy,loss\n${lines.join("\n")}\n`);
