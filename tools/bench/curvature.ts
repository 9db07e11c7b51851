// The Hessian of a loss here and in PyTorch: the same products, eigenvalues, trace and density, and what they cost.
//
//   npx tsx --conditions=@isthmus/source tools/bench/curvature.ts --python PYTHON [--cnn GRAPH --weights FILE --data NAME]
//     [--examples 500] [--batch 100] [--threads 2] [--repeats 5] [--tasks products,pyhessian,curvlinops,eigenthings] [--runs 0] [--steps 80]
//
// Without --cnn it trains a multilayer perceptron, --net (mlp:512x2), on 2,000 digits for one epoch. PYTHON must have torch, safetensors
// and, for the tasks of their names, pyhessian, curvlinops and hessian-eigenthings:
//
//   pip install --no-deps pyhessian curvlinops-for-pytorch backpack-for-pytorch einops einconv linear-operator jaxtyping wadler-lindig hessian-eigenthings
//
// Prints a line for each task and all as JSON. Times are of the processor, of whole solvers. With --runs, densities are compared by the
// area between their cumulative shares, over the largest eigenvalue: ours and PyHessian's, and either's own from two seeds.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { estimateTrace, hessian, spectralDensity, topEigenpairs } from "@isthmus/curvature";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, type Engine, type Graph, readGraph } from "@isthmus/graph";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python" },
    net: { type: "string", default: "mlp:512x2" },
    cnn: { type: "string" },
    weights: { type: "string" },
    data: { type: "string", default: "fashion-mnist:train" },
    examples: { type: "string", default: "500" },
    batch: { type: "string", default: "100" },
    threads: { type: "string", default: "2" },
    repeats: { type: "string", default: "5" },
    tasks: { type: "string", default: "products,pyhessian,curvlinops,eigenthings" },
    runs: { type: "string", default: "0" },
    steps: { type: "string", default: "80" },
  },
});
const [examples, batch, threads, repeats, runs, steps] = (
  ["examples", "batch", "threads", "repeats", "runs", "steps"] as const
).map((name) => Number(values[name])) as [number, number, number, number, number, number];
const tasks = values.tasks.split(",");
const plain = createOnnxRuntimeEngine();
const engine: Engine = { ...plain, load: (graph, options) => plain.load(graph, { ...options, threads }) };

interface Measured {
  readonly model: "mlp" | "cnn";
  readonly graph: Graph;
  readonly network: Checkpoint;
  readonly data: DataSet;
}

async function openMeasured(): Promise<Measured> {
  if (values.cnn !== undefined) {
    const { graph } = await readGraph(values.cnn);
    const network = await openCheckpoint(values.weights ?? "");
    return { model: "cnn", graph, network, data: await openDataSet(`${values.data}@${examples}`) };
  }
  const data = await openDataSet("mnist:train@2000");
  const { graph, initialize } = parseNetwork(values.net, data);
  const { weights } = await train({ graph, engine }, initialize(0), data, { seed: 0, epochs: 1 });
  return { model: "mlp", graph, network: weights, data: await openDataSet(`mnist:train@${examples}`) };
}

/** Writes the weights, and says how PyTorch builds the network. */
async function exportTo(folder: string, { network, graph, model }: Measured, names: readonly string[]) {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  await saveCheckpoint(createCheckpoint(tensors, {}, "weights"), join(folder, "weights.safetensors"));
  const shapes = names.map((name) => graph.weights.get(name)?.shape ?? []);
  const widths =
    model === "mlp" ? [784, ...shapes.filter((shape) => shape.length === 2).map(([rows]) => rows)] : [];
  return { model, widths, parameters: names };
}

const seconds = async (run: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await run();
  return (performance.now() - started) / 1000;
};

/** Runs a solver, and returns the processor time of the whole of it. */
async function clocked<T>(run: () => Promise<T>): Promise<readonly [T, number]> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / 1e6];
}

/** Shares of eigenvalues at nodes. */
interface Nodes {
  readonly values: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/** Joins runs of a density: nodes of each, weights over their number. */
const joined = (values: readonly number[][], weights: readonly number[][]): Nodes => ({
  values: values.flat(),
  weights: weights.flat().map((weight) => weight / weights.length),
});

/** Computes the area between the cumulative shares of two densities. */
function areaBetween(one: Nodes, other: Nodes): number {
  const steps = [
    ...Array.from(one.values, (x, i) => ({ x, share: at(one.weights, i, "weight") })),
    ...Array.from(other.values, (x, i) => ({ x, share: -at(other.weights, i, "weight") })),
  ].sort((a, b) => a.x - b.x);
  let apart = 0;
  return steps.reduce((area, { x, share }, i) => {
    apart += share;
    return area + Math.abs(apart) * ((steps[i + 1]?.x ?? x) - x);
  }, 0);
}

const measured = await openMeasured();
const folder = mkdtempSync(join(tmpdir(), "isthmus-curvature-"));
const results: Record<string, unknown> = {};
const report = (task: string, result: Record<string, unknown>) => {
  results[task] = result;
  console.error(`${task}: ${JSON.stringify(result)}`);
};
try {
  const operator = await hessian({ graph: measured.graph, engine }, measured.network, measured.data, {
    batchSize: batch,
  });
  const { dimension, layout } = operator;
  const random = createRandom(0, "vector");
  const vector = Float64Array.from({ length: dimension }, () => Math.fround(random.normal()));
  const product = new Float64Array(dimension);
  await operator.apply(vector, product);
  const time = async () => {
    const times: number[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < repeats; i++) {
      const before = process.cpuUsage();
      times.push(await seconds(() => operator.apply(vector, product)));
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1e6);
    }
    times.sort((a, b) => a - b);
    return { cpuSeconds: Math.min(...cpu), seconds: times[0], median: times[Math.floor(repeats / 2)] };
  };
  report("ours", { dimension, ...(await time()) });
  const spectrum = tasks.some((task) => task !== "products");
  const cuts: number[] = [];
  const ours: Nodes[] = [];
  if (spectrum) {
    const [top, cpuSeconds] = await clocked(() => topEigenpairs(operator, { count: 3 }));
    const largest = top.largest.map(({ value }) => value);
    const [trace, traceCpuSeconds] = await clocked(() =>
      estimateTrace(operator, { products: 99, relativeError: 0 }),
    );
    cuts.push(0.05 * (largest[0] ?? 1), 0.5 * (largest[2] ?? 1));
    report("ours, spectrum", {
      ...{ largest, largestResidual: top.largest[0]?.residual, products: top.products, cpuSeconds },
      ...{ trace: trace.trace, traceError: trace.standardError, traceCpuSeconds },
    });
    if (runs > 0) {
      const [density, densityCpuSeconds] = await clocked(() => spectralDensity(operator, { runs, steps }));
      const again = await spectralDensity(operator, { runs, steps, seed: 1 });
      ours.push(density.nodes, again.nodes);
      const { values: nodes, weights } = density.nodes;
      const above = cuts.map((cut) =>
        nodes.reduce((sum, x, i) => sum + (x > cut ? (weights[i] ?? 0) : 0), 0),
      );
      const mean = nodes.reduce((sum, x, i) => sum + x * (weights[i] ?? 0), 0);
      report("ours, density", { densityAbove: above, densityMean: mean, densityCpuSeconds });
    }
  }
  const settings = await exportTo(
    folder,
    measured,
    layout.map(({ name }) => name),
  );
  writeFileSync(
    join(folder, "settings.json"),
    JSON.stringify({ ...settings, batch, threads, repeats, runs, steps, cuts }),
  );
  const { inputs, labels } = measured.data.read(0, examples);
  const vectorTensor = (data: Float64Array): Tensor => ({
    dtype: "f32",
    shape: [dimension],
    data: Float32Array.from(data),
  });
  const tensors = new Map<string, Tensor>([
    ["x", inputs],
    ["y", { dtype: "i32", shape: [examples], data: labels }],
    ["vector", vectorTensor(vector)],
    ["product", vectorTensor(product)],
  ]);
  await saveCheckpoint(createCheckpoint(tensors, {}, "data"), join(folder, "data.safetensors"));
  const script = join(import.meta.dirname, "curvature-torch.py");
  for (const task of tasks) {
    const printed = execFileSync(values.python, [script, folder, task], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { nodes, weights, again, againWeights, ...numbers } = JSON.parse(
      printed.trim().split("\n").at(-1) ?? "{}",
    );
    report(task, numbers);
    const [first, second] = ours;
    if (nodes === undefined || first === undefined || second === undefined) continue;
    const [theirs, theirsAgain] = [joined(nodes, weights), joined(again, againWeights)];
    const relative = (area: number): number => area / numbers.largest;
    report(`density of ${task}`, {
      apart: relative(areaBetween(first, theirs)),
      oursFromTwoSeeds: relative(areaBetween(first, second)),
      theirsFromTwoSeeds: relative(areaBetween(theirs, theirsAgain)),
    });
  }
  report("ours, once more", await time());
  await operator.release();
  console.log(JSON.stringify(results));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
