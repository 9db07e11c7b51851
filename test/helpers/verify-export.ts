import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  at,
  type Checkpoint,
  createCheckpoint,
  DTYPES,
  MismatchError,
  openCheckpoint,
  type Tensor,
  toFloat32,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindNetworks, bindWeights, type DecodedGraph, type Graph, readGraph } from "@isthmus/graph";
import {
  discoverSymmetries,
  permute,
  randomAlignment,
  type Symmetries,
  type VerifySymmetriesResult,
  verifySymmetries,
} from "@isthmus/symmetry";

const engine = createOnnxRuntimeEngine();

/** What tools/exports/export-modules.py says of a folder of exports. */
export interface ExportManifest {
  readonly versions: Readonly<Record<string, string>>;
  readonly modules: Readonly<
    Record<
      string,
      { readonly inputs: readonly number[][]; readonly exports: Readonly<Record<string, string | Refusal>> }
    >
  >;
}

/** Why an exporter does not export a module. */
export interface Refusal {
  readonly refused: string;
}

/** Reads which exports there are in a folder. */
export function readManifest(folder: string): ExportManifest {
  return JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as ExportManifest;
}

/** A module's state, what it is fed, and what PyTorch computes. */
export interface Witness {
  readonly state: Checkpoint;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** What the module computes with {@link otherState}. */
  readonly other: Tensor;
  /** By parameter: product of its gradient with `sin(1), sin(2), ...`, and its length. */
  readonly gradients: ReadonlyMap<string, Tensor>;
}

/** Reads the witness of a module. */
export async function readWitness(folder: string): Promise<Witness> {
  const file = await openCheckpoint(join(folder, "witness.safetensors"));
  const part = async (prefix: string): Promise<Map<string, Tensor>> => {
    const names = [...file.tensors.keys()].filter((name) => name.startsWith(prefix)).sort();
    const tensors = await Promise.all(names.map((name) => file.read(name)));
    return new Map(names.map((name, i) => [name.slice(prefix.length), tensors[i] as Tensor]));
  };
  const [state, inputs, gradients] = [await part("state."), await part("input."), await part("gradient.")];
  const [output, other] = [await file.read("output"), await file.read("other")];
  await file.close();
  return { state: createCheckpoint(state), inputs: [...inputs.values()], output, other, gradients };
}

/**
 * Another network of the same architecture: every number changed by a factor that a formula gives, as in
 * modules.py.
 */
export async function otherState(state: Checkpoint): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype }] of state.tensors) {
    const tensor = await state.read(name);
    const changed = toFloat32(tensor.data, dtype).map((value, i) => value * (1 + 0.25 * Math.sin(i + 1)));
    tensors.set(name, DTYPES[dtype].float ? { ...tensor, data: changed } : tensor);
  }
  return createCheckpoint(tensors);
}

/** What is found out about one export. */
export interface ExportReport {
  readonly file: DecodedGraph;
  readonly permutations: Symmetries;
  /** The proof on every value inside. */
  readonly proof: VerifySymmetriesResult;
  /** Why some weight is not found in the module's state; undefined if all are. */
  readonly unbound: string | undefined;
  /**
   * Largest error of the graph's output, relative to PyTorch's largest, with the weights that the file
   * carries and with a random permutation of them; undefined if it carries none.
   */
  readonly asExported: { readonly same: number; readonly permuted: number } | undefined;
  /**
   * The same with the module's state, with a random permutation of it, and with another network's; undefined
   * if it does not bind.
   */
  readonly asBound: { readonly same: number; readonly permuted: number; readonly other: number } | undefined;
  /** The permuted state, which PyTorch can load. */
  readonly permuted: Checkpoint | undefined;
}

/**
 * Reads an export, binds it to the module's state, discovers and proves its symmetries, and runs it with
 * weights of its module.
 */
export async function verifyExport(path: string, witness: Witness, seed = 1): Promise<ExportReport> {
  const file = await readGraph(path);
  const asExported = await runCarried(file, await discoverSymmetries({ graph: file.graph, engine }), {
    witness,
    seed,
  });
  const bound = await bindNetworks(file, [witness.state]).catch(asUnbound);
  const graph = bound instanceof MismatchError ? file.graph : bound.graph;
  const permutations = await discoverSymmetries({ graph, engine });
  const proof = await verifySymmetries({ graph, engine }, permutations, { seed });
  const report = { file, permutations, proof, asExported };
  if (bound instanceof MismatchError) {
    return { ...report, unbound: bound.message, asBound: undefined, permuted: undefined };
  }
  const { network, restore, reread } = at(bound.networks, 0);
  const permuted = restore(permute(randomAlignment(permutations.spec, seed), network, permutations.spec));
  const run = (state: Checkpoint, expected: Tensor): Promise<number> =>
    errorOf(graph, reread(state), { witness, expected });
  const asBound = {
    same: await run(witness.state, witness.output),
    permuted: await run(permuted, witness.output),
    other: await run(await otherState(witness.state), witness.other),
  };
  return { ...report, unbound: undefined, asBound, permuted };
}

function asUnbound(error: unknown): MismatchError {
  if (error instanceof MismatchError) return error;
  throw error;
}

async function runCarried(
  { graph, weights }: DecodedGraph,
  { spec }: Symmetries,
  { witness, seed }: { readonly witness: Witness; readonly seed: number },
): Promise<ExportReport["asExported"]> {
  if (weights.size < graph.weights.size) return undefined;
  const carried = createCheckpoint(weights);
  const run = (checkpoint: Checkpoint): Promise<number> =>
    errorOf(graph, checkpoint, { witness, expected: witness.output });
  const permuted = permute(randomAlignment(spec, seed), carried, spec);
  return { same: await run(carried), permuted: await run(permuted) };
}

async function errorOf(
  graph: Graph,
  weights: Checkpoint,
  { witness, expected }: { readonly witness: Witness; readonly expected: Tensor },
): Promise<number> {
  const session = await engine.load(graph, { optimize: false });
  try {
    const feeds = new Map(await bindWeights(graph, weights));
    graph.inputs.forEach(({ name }, i) => {
      feeds.set(name, witness.inputs[i] as Tensor);
    });
    const results = await session.run(feeds);
    return relativeError(results.get(graph.outputs[0]?.name ?? "") as Tensor, expected);
  } finally {
    await session.release();
  }
}

function relativeError(got: Tensor, expected: Tensor): number {
  const [one, other] = [toFloat32(got.data, got.dtype), toFloat32(expected.data, expected.dtype)];
  if (one.length !== other.length) return Number.POSITIVE_INFINITY;
  let [largest, apart] = [0, 0];
  other.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    const difference = Math.abs(value - (one[i] as number));
    apart = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(apart, difference);
  });
  return apart / largest;
}
