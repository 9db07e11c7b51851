/**
 * Times a step of training of an MLP 784-512-512-512-10 (batch 128, SGD) against what onnxruntime's matrix products of the
 * same shapes take alone, in turns, in one run; `npm run bench` has PyTorch's step beside it.
 *
 *   npx tsx --conditions=@isthmus/source packages/training/bench/step.bench.ts
 *
 * Options: --optimizer sgd|momentum|adam|adamw|sam, --rounds N, --steps N (in a round), --batch N,
 * --widths 784,512,512,512,10, --threads N, --in-graph (to update parameters in the graph, as for engines that share no memory).
 * Standard output: one JSON object. Standard error: a table.
 *
 * `cpuRatio` is of processor time: with --threads 1 it holds on a machine that others use as well (threads that wait spin).
 */
import { parseArgs } from "node:util";
import {
  allocateData,
  createCheckpoint,
  createRandom,
  entry,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder, gemm, relu, type Value } from "@isthmus/graph/builder";
import { createStepRunner, createTrainingStep, type OptimizerSpec } from "@isthmus/training";

/** Steps of an epoch of MNIST at batch 128. */
const EPOCH_STEPS = 469;

const OPTIMIZERS: Readonly<Record<string, OptimizerSpec>> = {
  sgd: { kind: "sgd" },
  momentum: { kind: "sgd", momentum: 0.9 },
  adam: { kind: "adam" },
  adamw: { kind: "adamw" },
  clipped: { kind: "sgd", clipNorm: 1 },
  sam: { kind: "sam", base: { kind: "sgd" } },
};

const { values: options } = parseArgs({
  options: {
    optimizer: { type: "string", default: "sgd" },
    rounds: { type: "string", default: "15" },
    steps: { type: "string", default: "40" },
    batch: { type: "string", default: "128" },
    widths: { type: "string", default: "784,512,512,512,10" },
    threads: { type: "string", default: "0" },
    "in-graph": { type: "boolean", default: false },
  },
});

const batch = Number(options.batch);
const widths = options.widths.split(",").map(Number);
const engine = createOnnxRuntimeEngine();

function buildMlp(): Graph {
  const builder = new GraphBuilder("mlp", 21);
  let x = builder.input("x", { dtype: "f32", shape: [batch, widths[0]!] });
  for (let i = 1; i < widths.length; i++) {
    const weight = builder.weight(`layers.${i - 1}.weight`, {
      dtype: "f32",
      shape: [widths[i]!, widths[i - 1]!],
    });
    const bias = builder.weight(`layers.${i - 1}.bias`, { dtype: "f32", shape: [widths[i]!] });
    x = gemm(x, weight, { transB: true, bias });
    if (i < widths.length - 1) x = relu(x);
  }
  return builder.build([x]);
}

/** The matrix products of a step: forward, weight gradient and, but for the first layer, input gradient. */
function buildProducts(): { readonly graph: Graph; readonly flops: number } {
  const builder = new GraphBuilder("products", 21);
  const products: Value[] = [];
  let flops = 0;
  for (let i = 1; i < widths.length; i++) {
    const [fanIn, fanOut] = [widths[i - 1]!, widths[i]!];
    const x = builder.input(`x${i}`, { dtype: "f32", shape: [batch, fanIn] });
    const dy = builder.input(`dy${i}`, { dtype: "f32", shape: [batch, fanOut] });
    const weight = builder.weight(`w${i}`, { dtype: "f32", shape: [fanOut, fanIn] });
    products.push(gemm(x, weight, { transB: true }), gemm(dy, x, { transA: true }));
    if (i > 1) products.push(gemm(dy, weight));
    flops += 2 * batch * fanIn * fanOut * (i > 1 ? 3 : 2);
  }
  return { graph: builder.build(products), flops };
}

function fill(name: string, { dtype, shape }: TensorInfo): Tensor {
  const random = createRandom(0, name);
  const data = allocateData(dtype, sizeOf(shape));
  const scale = Math.sqrt(2 / Math.max(1, sizeOf(shape.slice(1))));
  for (let i = 0; i < data.length; i++) {
    if (dtype === "i64") data[i] = BigInt(random.integer(widths.at(-1)!)) as never;
    else data[i] = random.normal() * (shape.length > 1 ? scale : 0);
  }
  return { dtype, shape, data };
}

function empty({ dtype, shape }: TensorInfo): Tensor {
  return { dtype, shape, data: allocateData(dtype, sizeOf(shape)) };
}

/** Work that is timed. */
interface Loop {
  readonly name: string;
  readonly once: () => Promise<void>;
  readonly release: () => Promise<void>;
}

async function openStep(): Promise<Loop & { readonly nodes: number }> {
  const network = buildMlp();
  const step = await createTrainingStep(network, engine, {
    batch,
    loss: { kind: "cross-entropy" },
    optimizer: OPTIMIZERS[options.optimizer]!,
    inPlace: !options["in-graph"],
  });
  const weights = new Map([...network.weights].map(([name, info]) => [name, fill(name, info)]));
  const threads = Number(options.threads);
  const runner = await createStepRunner(step, engine, createCheckpoint(weights), { seed: 0, threads });
  const types = step.graph.types ?? new Map();
  const data = new Map(
    [step.examples, step.targets].map((name) => [name, fill(name, entry(types, name, "input"))]),
  );
  let count = 0;
  return {
    name: "step",
    once: async () => void (await runner.run({ step: count++, learningRate: 0.01 }, data)),
    release: () => runner.release(),
    nodes: step.graph.nodes.length,
  };
}

async function openProducts(graph: Graph): Promise<Loop> {
  const session = await engine.load(graph, { threads: Number(options.threads) });
  const infos = [
    ...graph.inputs.map(({ name, dtype = "f32", shape = [] }) => ({ name, dtype, shape: shape.map(Number) })),
  ];
  for (const [name, info] of graph.weights) infos.push({ name, dtype: info.dtype, shape: [...info.shape] });
  const feeds = new Map(infos.map(({ name, ...info }) => [name, fill(name, info)]));
  const out = new Map(
    graph.outputs.map(({ name, dtype = "f32", shape = [] }) => [
      name,
      empty({ dtype, shape: shape.map(Number) }),
    ]),
  );
  return {
    name: "products",
    once: async () => void (await session.run(feeds, out)),
    release: () => session.release(),
  };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

interface Times {
  /** Milliseconds of each round, for a step. */
  readonly wall: number[];
  readonly cpu: number[];
}

async function timeRounds(loops: readonly Loop[]): Promise<Map<string, Times>> {
  const times = new Map(loops.map(({ name }): [string, Times] => [name, { wall: [], cpu: [] }]));
  const steps = Number(options.steps);
  for (const { once } of loops) for (let i = 0; i < steps; i++) await once();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { name, once } of loops) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      for (let i = 0; i < steps; i++) await once();
      times.get(name)!.wall.push((performance.now() - start) / steps);
      const { user, system } = process.cpuUsage(before);
      times.get(name)!.cpu.push((user + system) / 1e3 / steps);
    }
  }
  return times;
}

const { graph, flops } = buildProducts();
const step = await openStep();
const products = await openProducts(graph);
const times = await timeRounds([step, products]);
await step.release();
await products.release();

const ms = (name: string) => median(times.get(name)!.wall);
const best = (name: string) => Math.min(...times.get(name)!.wall);
const cpu = (name: string) => median(times.get(name)!.cpu);
const ratio = (kind: keyof Times) =>
  median(times.get("products")![kind].map((time, i) => time / times.get("step")![kind][i]!));
const rate = (time: number) => flops / time / 1e6;
const result = {
  optimizer: options.optimizer,
  widths,
  batch,
  nodes: step.nodes,
  stepMs: ms("step"),
  bestStepMs: best("step"),
  productsMs: ms("products"),
  stepGflops: rate(ms("step")),
  productsGflops: rate(ms("products")),
  ratio: ratio("wall"),
  stepCpuMs: cpu("step"),
  productsCpuMs: cpu("products"),
  cpuRatio: ratio("cpu"),
  epochMs: ms("step") * EPOCH_STEPS,
};
console.log(JSON.stringify(result));
for (const [name, value] of Object.entries(result)) {
  console.error(`${name.padEnd(16)}${typeof value === "number" ? Math.round(value * 1000) / 1000 : value}`);
}
