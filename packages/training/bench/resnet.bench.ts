/**
 * Times a step of training of resnet20 (batch norm, batch 128, SGD with momentum and weight decay, 28x28 images of one channel)
 * against PyTorch's, in turns, in one run.
 *
 *   npx tsx --conditions=@isthmus/source packages/training/bench/resnet.bench.ts --python python3
 *
 * Options: --python PATH (PyTorch, in its default layout and channels-last; left out without it), --width N, --batch N, --rounds N,
 * --steps N (in a round), --threads N.
 * Standard output: one JSON object. Standard error: each round.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createRandom, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createStepRunner, createTrainingStep } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";

const { values: options } = parseArgs({
  options: {
    python: { type: "string" },
    width: { type: "string", default: "1" },
    batch: { type: "string", default: "128" },
    rounds: { type: "string", default: "7" },
    steps: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
  },
});
const [batch, steps, threads] = [Number(options.batch), Number(options.steps), Number(options.threads)];

type Timer = (steps: number) => Promise<number>;

async function createOwnTimer(): Promise<Timer> {
  const engine = createOnnxRuntimeEngine();
  const network = parseNetwork(`resnet20:w${options.width}`, { exampleShape: [1, 28, 28], classes: 10 });
  const step = await createTrainingStep(network.graph, engine, {
    batch,
    loss: { kind: "cross-entropy" },
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 5e-4 },
  });
  const runner = await createStepRunner(step, engine, network.initialize(0), { seed: 0, threads });
  const random = createRandom(0, "batch");
  const x = Float32Array.from({ length: batch * 784 }, () => random.normal());
  const y = BigInt64Array.from({ length: batch }, () => BigInt(random.integer(10)));
  const data = new Map<string, Tensor>([
    [step.examples, { dtype: "f32", shape: [batch, 1, 28, 28], data: x }],
    [step.targets, { dtype: "i64", shape: [batch], data: y }],
  ]);
  let at = 0;
  return async (count) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) await runner.run({ step: at++, learningRate: 0.01 }, data);
    return (performance.now() - start) / count;
  };
}

async function createTorchTimer(python: string, layout: string): Promise<Timer> {
  const script = fileURLToPath(new URL("torch-resnet.py", import.meta.url));
  const child = spawn(python, [script, options.width, String(batch), String(threads), layout], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.unref();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async (count) => {
    child.stdin.write(`${count}\n`);
    return Number((await lines.next()).value);
  };
}

const timers = new Map<string, Timer>([["isthmus", await createOwnTimer()]]);
if (options.python !== undefined) {
  timers.set("torch", await createTorchTimer(options.python, "default"));
  timers.set("torch-channels-last", await createTorchTimer(options.python, "channels_last"));
}
const times = new Map([...timers.keys()].map((name) => [name, [] as number[]]));
for (const timer of timers.values()) await timer(2);
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [name, timer] of timers) times.get(name)!.push(await timer(steps));
  console.error([...times].map(([name, each]) => `${name} ${each.at(-1)!.toFixed(0)} ms`).join("  "));
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const medians = Object.fromEntries([...times].map(([name, each]) => [name, median(each)]));
const own = medians["isthmus"]!;
const ratios = Object.fromEntries(
  Object.entries(medians)
    .filter(([name]) => name !== "isthmus")
    .map(([name, value]) => [name, own / value]),
);
console.log(
  JSON.stringify({
    benchmark: "resnet20",
    width: Number(options.width),
    batch,
    threads,
    medians,
    ratios,
    times: Object.fromEntries(times),
  }),
);
process.exit(0);
