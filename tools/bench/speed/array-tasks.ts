import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  entry,
  fromFloat32Into,
  openCheckpoint,
  saveCheckpoint,
  squaredNorm,
  sumOf,
  viewBytes,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { AGGREGATION_RULES } from "@isthmus/federated";
import {
  createMatrix,
  createProducts,
  type Matrix,
  polarFactor,
  svd,
  truncatedSvd,
} from "@isthmus/linear-algebra";
import {
  describeFileMerge,
  MERGE_METHODS,
  openMergeSource,
  resolveParameters,
  saveMerge,
} from "@isthmus/merging";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { matchWeights, solveAssignment } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";
import type { OpenedTask } from "./own-tasks.ts";
import type { ArrayTask } from "./rows.ts";

type ArrayTaskOf<Kind> = Extract<ArrayTask, { kind: Kind }>;

/**
 * Prepares our side of work on arrays and files, and writes into the folder what the peer needs to do the same.
 * @param threads - threads of both sides
 */
export async function openArrayTask(task: ArrayTask, folder: string, threads: number): Promise<OpenedTask> {
  if (task.kind === "assignment") return openAssignment(task.size, folder);
  if (task.kind === "merge") return openMerge(task, folder, threads);
  if (task.kind === "rule") return openRule(task, folder);
  if (task.kind === "matching") return openMatching(task, folder);
  if (task.kind === "read" || task.kind === "write") return openFiles(task, folder);
  return openMatrixWork(task, folder, threads);
}

const opened = (once: OpenedTask["once"]): OpenedTask => ({ once, release: async () => {} });

function openAssignment(size: number, folder: string): OpenedTask {
  const random = createRandom(0, "costs");
  const costs = Float32Array.from({ length: size * size }, () => random.uniform());
  writeFileSync(join(folder, "matrix"), viewBytes(costs));
  return opened(async () => solveAssignment({ data: costs, rows: size, columns: size }).objective);
}

const MERGED_SHAPE = [1024, 4096] as const;
/** Values that make each method do all of its work. */
const MERGE_PARAMETERS = { weight: 0.5, density: 0.5, t: 0.5, gamma: 0.01, select_topk: 0.5 };

async function openMerge(
  { method, hasBase, isRandom, megabytes }: ArrayTaskOf<"merge">,
  folder: string,
  threads: number,
): Promise<OpenedTask> {
  const path = (name: string): string => join(folder, `${name}.safetensors`);
  await writeFineTuned(path, megabytes);
  const known = entry(MERGE_METHODS, method).parameters;
  const parameters = Object.fromEntries(Object.entries(MERGE_PARAMETERS).filter(([name]) => name in known));
  const base = hasBase ? { base: path("base") } : {};
  const source = describeFileMerge({
    networks: [path("first"), path("second")],
    method,
    parameters,
    ...base,
  });
  let norm: number | undefined;
  return opened(async () => {
    rmSync(path("ours"), { force: true });
    const { plan, close } = await openMergeSource(source);
    await saveMerge(plan, path("ours"), { threads, source });
    await close();
    norm ??= isRandom ? Number.NaN : await normOf(path("ours"));
    return Number.isNaN(norm) ? null : norm;
  });
}

/** Writes a base of standard deviation 0.02, and two networks that are 0.002 away, in matrices of bf16. */
async function writeFineTuned(path: (name: string) => string, megabytes: number): Promise<void> {
  const random = createRandom(0, "networks");
  const size = MERGED_SHAPE[0] * MERGED_SHAPE[1];
  const count = Math.round((megabytes * 2 ** 20) / (2 * size));
  const normal = Float32Array.from({ length: size + 4096 }, () => random.normal());
  for (const name of ["base", "first", "second"]) {
    const tensors = Array.from({ length: count }, (_, k) => {
      const from = random.integer(4096);
      const change = name === "base" ? 0 : 0.002;
      const numbers = Float32Array.from({ length: size }, (_, i) => {
        return 0.02 * Number(normal[i + k]) + change * Number(normal[i + from]);
      });
      const data = allocateData("bf16", size);
      fromFloat32Into(numbers, "bf16", data);
      return [`layers.${k}.weight`, createTensor("bf16", MERGED_SHAPE, data)] as const;
    });
    await saveCheckpoint(createCheckpoint(Object.fromEntries(tensors)), path(name));
  }
}

async function normOf(path: string): Promise<number> {
  const network = await openCheckpoint(path);
  let sum = 0;
  for (const name of network.tensors.keys()) sum += squaredNorm(await network.read(name));
  await network.close();
  return Math.sqrt(sum);
}

function openRule({ rule: name, clients, f, elements }: ArrayTaskOf<"rule">, folder: string): OpenedTask {
  const rule = entry(AGGREGATION_RULES, name);
  if (rule.kind !== "coordinates") throw new Error(`Cannot time ${name} as it decides on whole updates`);
  const random = createRandom(0, "clients");
  const values = Float64Array.from({ length: clients * elements }, () => random.normal());
  writeFileSync(join(folder, "values"), viewBytes(values));
  const given = "f" in rule.parameters ? { f } : {};
  const parameters = resolveParameters(name, rule.parameters, given, { tensor: "", networks: 1 });
  const out = new Float64Array(elements);
  return opened(async () => {
    // Rules may overwrite what they are given.
    const copies = Array.from({ length: clients }, (_, k) => values.slice(k * elements, (k + 1) * elements));
    rule.combineInto(copies, parameters, out);
    return Math.sqrt(out.reduce((sum, x) => sum + x * x, 0));
  });
}

async function openMatching({ widths }: ArrayTaskOf<"matching">, folder: string): Promise<OpenedTask> {
  const [input = 0, ...rest] = widths;
  const net = `mlp:${rest.slice(0, -1).join("-")}`;
  const { graph, initialize } = parseNetwork(net, { exampleShape: [input], classes: rest.at(-1) ?? 0 });
  const engine = createOnnxRuntimeEngine();
  const { spec } = await discoverSymmetries({ graph, engine });
  const first = initialize(0);
  const moved = permute({ source: randomAlignment(spec, 0).source }, first, spec);
  const paths = ["a", "b"].map((name) => join(folder, `${name}.safetensors`));
  await saveCheckpoint(first, paths[0] ?? "");
  await saveCheckpoint(await withNoise(moved), paths[1] ?? "");
  return opened(async () => {
    const [a, b] = await Promise.all([openCheckpoint(paths[0] ?? ""), openCheckpoint(paths[1] ?? "")]);
    const { objective } = await matchWeights({ spec, graph, engine }, [a, b], { seed: 0, restarts: 1 });
    await Promise.all([a.close(), b.close()]);
    return objective.after;
  });
}

/** Adds noise of a tenth of each weight's size, so that matching has to find what is nearest. */
async function withNoise(network: Checkpoint): Promise<Checkpoint> {
  const random = createRandom(0, "noise");
  const tensors = new Map<string, ReturnType<typeof createTensor>>();
  for (const [name, { shape }] of network.tensors) {
    const numbers = Float32Array.from(await network.read(name).then(({ data }) => data as Float32Array));
    const scale = 0.1 * Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length);
    const noisy = numbers.map((x) => x + scale * random.normal());
    tensors.set(name, createTensor("f32", shape, noisy));
  }
  return createCheckpoint(tensors);
}

async function openFiles(
  { kind, megabytes }: ArrayTaskOf<"read" | "write">,
  folder: string,
): Promise<OpenedTask> {
  const random = createRandom(0, "tensors");
  const numbers = Float32Array.from({ length: 2 ** 20 }, () => random.normal());
  // Tensors of 4 MiB.
  const names = Array.from({ length: Math.round(megabytes / 4) }, (_, k) => `layers.${k}.weight`);
  const checkpoint = createCheckpoint(
    Object.fromEntries(
      names.map((name, k) => {
        const turned = numbers.map((_, i) => Number(numbers[(i + k) % numbers.length]));
        return [name, createTensor("f32", [1024, 1024], turned)];
      }),
    ),
  );
  const path = join(folder, "tensors.safetensors");
  await saveCheckpoint(checkpoint, path);
  if (kind === "write") {
    const out = join(folder, "ours.safetensors");
    return opened(async () => {
      const { bytes } = await saveCheckpoint(checkpoint, out, { overwrite: true });
      return bytes / 1e6;
    });
  }
  return opened(async () => {
    const network = await openCheckpoint(path);
    let sum = 0;
    for (const name of names) sum += Number((await network.read(name)).data.at(-1));
    await network.close();
    return sum;
  });
}

function openMatrixWork(
  task: ArrayTaskOf<"largest singular values" | "singular values" | "polar factor">,
  folder: string,
  threads: number,
): OpenedTask {
  const { size } = task;
  const random = createRandom(0, "matrix");
  const normal = Float32Array.from({ length: size * size }, () => random.normal());
  if (task.kind === "largest singular values") addDirections(normal, size, task.rank);
  writeFileSync(join(folder, "matrix"), viewBytes(normal));
  const matrix = createMatrix(size, size, normal);
  const products = createProducts(createOnnxRuntimeEngine(), threads);
  if (task.kind === "singular values") return opened(async () => svd(matrix).values[0] ?? Number.NaN);
  if (task.kind === "polar factor")
    return opened(async () => innerProductOf(await polarFactor(matrix, products), matrix));
  return opened(async () => (await truncatedSvd(matrix, task.rank, products)).values[0] ?? Number.NaN);
}

/** Adds directions of sizes that fall slowly, which stand out of the noise. */
function addDirections(numbers: Float32Array, size: number, rank: number): void {
  const random = createRandom(0, "directions");
  for (let k = 0; k < rank; k++) {
    const [left, right] = [0, 1].map(() => Float64Array.from({ length: size }, () => random.normal()));
    for (let i = 0; i < numbers.length; i++) {
      const change = Number(left?.[Math.floor(i / size)]) * Number(right?.[i % size]);
      numbers[i] = Number(numbers[i]) + (0.1 + 0.02 * k) * change;
    }
  }
}

const innerProductOf = (a: Matrix, b: Matrix): number =>
  sumOf(Array.from(a.data, (x, i) => x * Number(b.data[i])));
