import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  innerProduct,
  saveCheckpoint,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import { estimateTrace, hessian, spectralDensity, topEigenpairs } from "@isthmus/curvature";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet, type Engine } from "@isthmus/graph";
import { createStepRunner, createTrainingStep } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { root } from "../../packages.mjs";
import { openArrayTask } from "./array-tasks.ts";
import type { NetworkTask, SpeedRow, SpeedTask } from "./rows.ts";

/** Work that can be repeated. */
export interface OpenedTask {
  /** Does the work once; returns a number that the peer computes as well, if there is one. */
  readonly once: () => Promise<number | null>;
  /** Frees what the work holds. */
  readonly release: () => Promise<void>;
}

type NetworkTaskOf<Kind> = Extract<NetworkTask, { kind: Kind }>;

/** A network with random weights and random examples, as both sides get them. */
interface Setting {
  readonly engine: Engine;
  readonly graph: ReturnType<typeof parseNetwork>["graph"];
  readonly weights: Checkpoint;
  readonly data: DataSet;
}

/**
 * Prepares our side of a row, and writes into the folder what the peer needs to do the same.
 * @param threads - threads of the engine, and of the peer
 */
export async function openOwnTask({ task }: SpeedRow, folder: string, threads: number): Promise<OpenedTask> {
  writeFileSync(join(folder, "task.json"), JSON.stringify({ ...task, threads }));
  if (task.kind === "training") return openTraining(task);
  if (!("net" in task)) return openArrayTask(task, folder, threads);
  const setting = await openSetting(task, threads);
  const opened = await openNetworkTask(task, setting, threads);
  await writeSetting(folder, setting);
  return opened;
}

function openNetworkTask(task: NetworkTask, setting: Setting, threads: number): Promise<OpenedTask> {
  if (task.kind === "step") return openStep(task, setting, threads);
  if (task.kind === "evaluation") return openEvaluation(task, setting, threads);
  return openCurvature(task, setting);
}

async function openSetting(task: NetworkTask, threads: number): Promise<Setting> {
  const native = createOnnxRuntimeEngine();
  const engine: Engine = { ...native, load: (graph, options) => native.load(graph, { ...options, threads }) };
  const { graph, initialize } = parseNetwork(task.net, task);
  return { engine, graph, weights: initialize(0), data: randomExamples(task) };
}

/** Makes examples of normal numbers, or of tokens, with random labels. */
function randomExamples(task: NetworkTask): DataSet {
  const { exampleShape, classes, net } = task;
  const size = task.kind === "step" ? task.batch : task.examples;
  const random = createRandom(0, "examples");
  const isText = net.startsWith("gpt");
  const count = size * sizeOf(exampleShape);
  const tokens = Int32Array.from({ length: isText ? count : size }, () => random.integer(classes));
  const inputs = isText
    ? BigInt64Array.from(tokens, BigInt)
    : Float32Array.from({ length: count }, () => random.normal());
  const width = sizeOf(exampleShape);
  const labelWidth = isText ? width : 1;
  return {
    name: "random",
    size,
    exampleShape,
    classes,
    labelling: isText ? "next" : "example",
    read: (begin, end) => ({
      inputs: {
        dtype: isText ? "i64" : "f32",
        shape: [end - begin, ...exampleShape],
        data: inputs.subarray(begin * width, end * width),
      },
      labels: tokens.subarray(begin * labelWidth, end * labelWidth),
    }),
  };
}

async function writeSetting(folder: string, { weights, data, graph }: Setting): Promise<void> {
  await saveCheckpoint(weights, join(folder, "weights.safetensors"));
  const { inputs, labels } = data.read(0, data.size);
  const shape = data.labelling === "next" ? inputs.shape : [data.size];
  const vector = vectorOf([...graph.weights.values()].reduce((sum, info) => sum + sizeOf(info.shape), 0));
  const tensors = new Map<string, Tensor>([
    ["x", inputs],
    ["y", { dtype: "i32", shape, data: labels }],
    ["vector", { dtype: "f32", shape: [vector.length], data: Float32Array.from(vector) }],
  ]);
  await saveCheckpoint(createCheckpoint(tensors, {}, "data"), join(folder, "data.safetensors"));
}

function vectorOf(size: number): Float64Array {
  const random = createRandom(0, "vector");
  return Float64Array.from({ length: size }, () => Math.fround(random.normal()));
}

async function openStep(
  { batch, momentum }: NetworkTaskOf<"step">,
  { graph, engine, weights, data }: Setting,
  threads: number,
): Promise<OpenedTask> {
  const step = await createTrainingStep(graph, engine, {
    batch,
    loss: { kind: data.labelling === "next" ? "next-token" : "cross-entropy" },
    optimizer: { kind: "sgd", momentum },
    inPlace: engine.sharesMemory === true,
  });
  const runner = await createStepRunner(step, engine, weights, { seed: 0, threads });
  const { inputs, labels } = data.read(0, batch);
  const feeds = new Map<string, Tensor>([[step.examples, inputs]]);
  if (step.targets !== step.examples) {
    feeds.set(step.targets, { dtype: "i64", shape: [batch], data: BigInt64Array.from(labels, BigInt) });
  }
  let at = 0;
  return {
    once: async () => (await runner.run({ step: at++, learningRate: 0.01 }, feeds)).loss,
    release: () => runner.release(),
  };
}

async function openEvaluation(
  { batch }: NetworkTaskOf<"evaluation">,
  { graph, engine, weights, data }: Setting,
  threads: number,
): Promise<OpenedTask> {
  const evaluator = await createEvaluator({ graph, engine }, data, { batchSize: batch, threads });
  return {
    once: async () => (await evaluator.evaluate(weights)).loss,
    release: () => evaluator.release(),
  };
}

async function openCurvature(
  { kind, batch }: NetworkTask,
  { graph, engine, weights, data }: Setting,
): Promise<OpenedTask> {
  const operator = await hessian({ graph, engine }, weights, data, { batchSize: batch });
  const vector = vectorOf(operator.dimension);
  const out = new Float64Array(operator.dimension);
  const work: Readonly<Record<string, () => Promise<number>>> = {
    async product() {
      await operator.apply(vector, out);
      return Math.sqrt(innerProduct(out, out));
    },
    trace: async () => (await estimateTrace(operator, { products: 99, relativeError: 0 })).trace,
    eigenvalues: async () => (await topEigenpairs(operator, { count: 3 })).largest[0]?.value ?? Number.NaN,
    density: async () => Math.max(...(await spectralDensity(operator, { runs: 1, steps: 80 })).nodes.values),
  };
  const once = work[kind];
  if (once === undefined) throw new Error(`Cannot measure ${kind} as it is no kind of curvature`);
  return { once, release: () => operator.release() };
}

function openTraining({ net, epochs }: Extract<SpeedTask, { kind: "training" }>): OpenedTask {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-speed-train-"));
  const program = join(root, "packages/cli/bin/isthmus.js");
  const words = ["train", "--net", net, "--data", "mnist", "--epochs", `${epochs}`];
  let runs = 0;
  return {
    async once() {
      const { status, stderr } = spawnSync(
        process.execPath,
        [program, ...words, "--output", join(folder, `${runs++}.safetensors`)],
        { encoding: "utf8" },
      );
      if (status !== 0) throw new Error(`isthmus train ended with ${status}: ${stderr}`);
      return null;
    },
    release: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
