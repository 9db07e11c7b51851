// Matches many networks cycle-consistently by ours and by C2M3's algorithm in NumPy and SciPy, on the same weights.
//
//   npx tsx --conditions=@isthmus/source tools/bench/many-networks.ts --python PYTHON [--networks 10] [--rounds 2] [--seed 0]
//     [--folder FOLDER] [--net mlp:512x3] [--out FOLDER] [--without-python] [--python-steps 400]
//
// FOLDER has multilayer perceptrons s0.safetensors, s1.safetensors, ... and s0.onnx; without one, networks are trained on MNIST for
// two epochs, once, into --out. Both take turns, each alone, in the rounds; the seed goes up with the round. Prints one JSON line for each:
// seconds of wall clock and of CPU, and the objective, the sum over all pairs of inner products, before and after, computed by the
// same code from the permutations of both. `load` is of the machine when it started. With --python-steps NumPy stops early: then
// its objective says nothing, but its seconds do for each step.
import { spawnSync } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Checkpoint, openCheckpoint, saveCheckpoint, toFloat64 } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph, readGraph } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import { train } from "@isthmus/training";
import { matchMany } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";

const { values: args } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    networks: { type: "string", default: "10" },
    rounds: { type: "string", default: "2" },
    seed: { type: "string", default: "0" },
    folder: { type: "string" },
    net: { type: "string", default: "mlp:512x3" },
    out: { type: "string", default: "many-networks" },
    "without-python": { type: "boolean", default: false },
    "python-steps": { type: "string", default: "400" },
  },
});
const [count, rounds, firstSeed] = [Number(args.networks), Number(args.rounds), Number(args.seed)];
const engine = createOnnxRuntimeEngine();

/** Trains what is not in the folder yet. */
async function trainInto(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const data = await openDataSet("mnist:train");
  const network = parseNetwork(args.net, { exampleShape: data.exampleShape, classes: data.classes });
  await writeFile(join(folder, "s0.onnx"), encodeGraph(network.graph));
  for (let seed = 0; seed < count; seed++) {
    const path = join(folder, `s${seed}.safetensors`);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) continue;
    const { weights } = await train({ graph: network.graph, engine }, network.initialize(seed), data, {
      seed,
      epochs: 2,
      optimizer: { kind: "adam" },
    });
    await saveCheckpoint(weights, path);
  }
}

const folder = args.folder ?? args.out;
if (args.folder === undefined) await trainInto(folder);
const { graph } = await readGraph(join(folder, "s0.onnx"));
const { spec } = await discoverSymmetries({ graph, engine });
const networks: Checkpoint[] = [];
for (let i = 0; i < count; i++) networks.push(await openCheckpoint(join(folder, `s${i}.safetensors`)));

/** A layer `y = W x + b` of all networks. */
interface Layer {
  readonly rows: number;
  readonly columns: number;
  /** For each network, `[rows, columns]` and `[rows]`. */
  readonly weights: readonly Float32Array[];
  readonly biases: readonly Float32Array[];
}

/** The linear layers, from input to output: every network has a weight and a bias for each. */
async function readLayers(): Promise<Layer[]> {
  const names = [...graph.weights.keys()].filter((name) => graph.weights.get(name)?.shape.length === 2);
  const layers: Layer[] = [];
  for (const name of names) {
    const [rows = 0, columns = 0] = graph.weights.get(name)?.shape ?? [];
    const read = async (of: string) =>
      Promise.all(
        networks.map(async (one) => {
          const { data, dtype } = await one.read(of);
          return Float32Array.from(toFloat64(data, dtype));
        }),
      );
    layers.push({
      rows,
      columns,
      weights: await read(name),
      biases: await read(name.replace(/weight$/, "bias")),
    });
  }
  return layers;
}

/** The unit of a network at each place of the universe, by network and hidden layer. */
type Places = readonly (readonly Int32Array[])[];

/** Sums over all pairs of networks the inner products of their permuted weights and biases, in f64. */
function objectiveOf(layers: readonly Layer[], places: Places | undefined): number {
  let objective = 0;
  for (const [l, { rows, columns, weights, biases }] of layers.entries()) {
    const sum = new Float64Array(rows * (columns + 1));
    for (const [i, weight] of weights.entries()) {
      const bias = biases[i] as Float32Array;
      const rowOf = l + 1 < layers.length ? places?.[i]?.[l] : undefined;
      const columnOf = l > 0 ? places?.[i]?.[l - 1] : undefined;
      for (let r = 0; r < rows; r++) {
        const row = rowOf?.[r] ?? r;
        for (let c = 0; c < columns; c++) {
          const value = weight[row * columns + (columnOf?.[c] ?? c)] as number;
          sum[r * (columns + 1) + c] = (sum[r * (columns + 1) + c] as number) + value;
          objective -= value ** 2 / 2;
        }
        sum[r * (columns + 1) + columns] =
          (sum[r * (columns + 1) + columns] as number) + (bias[row] as number);
        objective -= (bias[row] as number) ** 2 / 2;
      }
    }
    objective += sum.reduce((total, value) => total + value ** 2, 0) / 2;
  }
  return objective;
}

const layers = await readLayers();
const before = objectiveOf(layers, undefined);
const print = (row: object) => console.log(JSON.stringify(row));
const round = (value: number) => Number(value.toFixed(2));

async function matchByOurs(seed: number): Promise<void> {
  const load = round(loadavg()[0] ?? 0);
  const [started, used] = [performance.now(), process.cpuUsage()];
  const { universe, searches } = await matchMany({ spec, graph, engine }, networks, { seed, many: "cycle" });
  const wall = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(used);
  const places = universe.map(({ source }) =>
    spec.symmetries.map(({ firstUnit, size }) =>
      source.slice(firstUnit, firstUnit + size).map((unit) => unit - firstUnit),
    ),
  );
  print({
    ...{ by: "isthmus", networks: count, seed, load, wall: round(wall), cpu: round((user + system) / 1e6) },
    ...{ before: round(before), after: round(objectiveOf(layers, places)) },
    ...{ steps: searches[0]?.steps, rounds: searches[0]?.rounds },
  });
}

/** Writes arrays for Python: one raw file, and a header that tells names and shapes. */
async function writeArrays(path: string): Promise<void> {
  const arrays = layers.flatMap(({ rows, columns, weights, biases }, l) => [
    { name: `w${l}`, shape: [count, rows, columns], parts: weights },
    { name: `b${l}`, shape: [count, rows], parts: biases },
  ]);
  await writeFile(`${path}.json`, JSON.stringify(arrays.map(({ name, shape }) => ({ name, shape }))));
  await writeFile(
    `${path}.f32`,
    Buffer.concat(arrays.flatMap(({ parts }) => parts.map((part) => Buffer.from(part.buffer)))),
  );
}

async function matchByPython(seed: number, source: string): Promise<void> {
  const load = round(loadavg()[0] ?? 0);
  const script = join(dirname(fileURLToPath(import.meta.url)), "many-networks.py");
  // These choose a BLAS kernel that is slower than the one for this machine.
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...env } = process.env;
  const { stdout, stderr, status } = spawnSync(
    args.python,
    [script, source, String(seed), `${source}.out`, args["python-steps"]],
    {
      env,
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(stderr);
  const { wall, cpu, ...search } = JSON.parse(stdout) as { wall: number; cpu: number };
  const bytes = await readFile(`${source}.out`);
  const numbers = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let next = 0;
  const places = networks.map(() =>
    layers.slice(0, -1).map(({ rows }) => {
      next += rows;
      return numbers.subarray(next - rows, next);
    }),
  );
  print({
    ...{ by: "C2M3 in NumPy and SciPy", networks: count, seed, load, wall: round(wall), cpu: round(cpu) },
    ...{ before: round(before), after: round(objectiveOf(layers, places)), ...search },
  });
}

const source = join(await mkdtemp(join(tmpdir(), "many-networks-")), "networks");
await writeArrays(source);
for (let turn = 0; turn < rounds; turn++) {
  await matchByOurs(firstSeed + turn);
  if (!args["without-python"]) await matchByPython(firstSeed + turn, source);
}
for (const network of networks) await network.close();
