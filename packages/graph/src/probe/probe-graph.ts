import {
  allocateData,
  DTYPES,
  type DType,
  EngineError,
  formatShape,
  InputError,
  resolveOptions,
  sameShape,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import { totalmem } from "@isthmus/platform";
import type { Architecture } from "../architecture.ts";
import type { Engine } from "../engine.ts";
import { dependentValues } from "../ir/dependent-values.ts";
import { extractSubgraph } from "../ir/extract-subgraph.ts";
import type { Graph } from "../ir/graph.ts";
import { sequenceValues } from "../ir/sequence-values.ts";
import { inputShape, randomInputs } from "./random-inputs.ts";
import { runAll } from "./run-all.ts";
import { runShapes, type ShapesRun } from "./run-shapes.ts";
import { withoutProducts } from "./without-products.ts";

/** Types of all values of a graph and its constants, as found in one run. */
export interface Probe {
  /** Number of examples in the run. */
  readonly batch: number;
  /**
   * Element types and concrete shapes of all values: inputs, weights, constants, and all results of nodes.
   */
  readonly types: ReadonlyMap<string, TensorInfo>;
  /** Values that depend on neither the input nor a weight: shapes, masks, positions. */
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** Options of {@link probeGraph}. */
export interface ProbeOptions {
  /** Number of examples in the run; at least 2, as an axis of extent 1 could be any axis. @defaultValue 2 */
  readonly batch?: number;
  /** Seed of the inputs; shapes and constants do not depend on it. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Extents of symbolic dimensions other than the batch by name, such as a sequence's; the
   * others are 8. @defaultValue none
   */
  readonly extents?: Readonly<Record<string, number>>;
  /** Signal that is checked before and after the run. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link ProbeOptions}. */
export const PROBE_DEFAULTS: Required<Omit<ProbeOptions, "signal">> = { batch: 2, seed: 0, extents: {} };

/**
 * Runs a graph once, with weights of zero, to find the shapes of all values and the values of constants, so
 * that no shape inference is needed.
 *
 * If the graph has types for that batch, its shapes are known: only nodes that depend on neither input nor
 * weight are run, and no weights are allocated, even for large networks. The batch is then the batch of its
 * types.
 *
 * @throws EngineError if the engine cannot run the graph
 * @throws InputError if its inputs and weights are larger than the memory of this machine
 */
export async function probeGraph(
  { graph, engine }: Architecture,
  options: ProbeOptions = {},
): Promise<Probe> {
  const { signal, ...rest } = options;
  const resolved = resolveOptions("probe a graph", PROBE_DEFAULTS, rest);
  const key = JSON.stringify([engine.name, resolved]);
  signal?.throwIfAborted();
  const earlier = probes.get(graph)?.get(key);
  if (earlier !== undefined) return earlier;
  const probe = await probeAnew({ graph, engine }, { ...resolved, signal });
  probes.set(graph, new Map([...(probes.get(graph) ?? []), [key, probe]]));
  return probe;
}

/** Probes by graph, engine and options: the searches for each kind of symmetry probe the same graph again. */
const probes = new WeakMap<Graph, ReadonlyMap<string, Probe>>();

async function probeAnew(
  { graph, engine }: Architecture,
  { batch, seed, extents, signal }: Required<Omit<ProbeOptions, "signal">> & Pick<ProbeOptions, "signal">,
): Promise<Probe> {
  const fromTypes = await probeTyped(graph, engine, { batch, extents });
  if (fromTypes !== undefined) return fromTypes;
  assertFitsMemory(graph, batch, extents);
  const inputs = randomInputs(graph, batch, seed, extents);
  signal?.throwIfAborted();
  const run = (await runCheaply({ graph, engine }, inputs)) ?? (await runWhole({ graph, engine }, inputs));
  signal?.throwIfAborted();
  const types = new Map<string, TensorInfo>();
  for (const [name, { dtype, shape }] of [...inputs, ...graph.weights, ...graph.constants]) {
    types.set(name, { dtype, shape });
  }
  return { batch, types: new Map([...types, ...run.types]), constants: run.values };
}

/**
 * Runs a graph without its products with weights; undefined if that fails, or the shapes of a product do not
 * fit: a run of the graph itself then shows the reason.
 */
async function runCheaply(
  { graph, engine }: Architecture,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<ShapesRun | undefined> {
  const { graph: cheap, transposed, allows } = withoutProducts(graph);
  const feeds = new Map([...inputs, ...zeroWeights(cheap)]);
  const { shaped, whole } = splitValues(graph);
  const unknown = shaped.filter((name) => !transposed.has(name));
  try {
    const run = await runShapes({ graph: cheap, engine }, feeds, { shaped: unknown, whole });
    if (run === undefined) return undefined;
    const types = new Map([...transposed, ...run.types]);
    const weights: Iterable<[string, TensorInfo]> = graph.weights;
    return allows(new Map([...inputs, ...weights, ...types])) ? { ...run, types } : undefined;
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

/** Runs an unchanged graph, with weights of zero. */
async function runWhole(
  { graph, engine }: Architecture,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<ShapesRun> {
  const feeds = new Map([...inputs, ...zeroWeights(graph)]);
  const results = await runAll(graph, engine, feeds).catch((cause) => failToRun(graph, cause));
  const whole = new Set(splitValues(graph).whole);
  return {
    types: new Map([...results].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    values: new Map([...results].filter(([name]) => whole.has(name))),
  };
}

/**
 * Splits the values of a graph: for values that depend on inputs only shapes are needed, for constants the
 * numbers.
 */
function splitValues(graph: Graph): {
  readonly shaped: readonly string[];
  readonly whole: readonly string[];
} {
  const sequences = sequenceValues(graph);
  const dependent = fedValues(graph);
  const computed = graph.nodes.flatMap(({ outputs }) => outputs);
  const names = computed.filter((name) => name !== "" && !sequences.has(name));
  return {
    shaped: names.filter((name) => dependent.has(name)),
    whole: names.filter((name) => !dependent.has(name)),
  };
}

/** Throws an error that explains why the graph must run, after the engine failed. */
function failToRun({ name }: Graph, cause: unknown): never {
  if (!(cause instanceof EngineError)) throw cause;
  throw new EngineError(
    `Cannot find the shapes in graph "${name}" as the engine must be able to run it: ${cause.message}; export it with operators that the engine has`,
    { engine: cause.engine, cause },
  );
}

/**
 * Makes a probe from the types of a graph and the values of its constants; undefined if types are missing or
 * for another batch.
 */
async function probeTyped(
  graph: Graph,
  engine: Engine,
  { batch, extents }: Required<Pick<ProbeOptions, "batch" | "extents">>,
): Promise<Probe | undefined> {
  const { types, inputs, nodes } = graph;
  const computed = nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== ""));
  if (types === undefined || !computed.every((name) => types.has(name))) return undefined;
  const isOfBatch = inputs.every((info) =>
    sameShape(types.get(info.name)?.shape ?? [], inputShape(info, inputs, { batch, extents })),
  );
  if (!isOfBatch) return undefined;
  const dependent = fedValues(graph);
  const independent = computed.filter((name) => !dependent.has(name));
  const first = types.get(inputs[0]?.name ?? "")?.shape[0] ?? batch;
  if (independent.length === 0) return { batch: first, types, constants: new Map() };
  const part = extractSubgraph(graph, [], independent);
  // Operators on shapes still read inputs and weights, although only their shapes.
  if (part.inputs.length > 0 || part.weights.size > 0) return undefined;
  return { batch: first, types, constants: await runAll(part, engine, new Map()) };
}

function zeroWeights(graph: Graph): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const [name, { dtype, shape }] of graph.weights) {
    weights.set(name, { dtype, shape, data: allocateData(dtype, sizeOf(shape)) });
  }
  return weights;
}

/** Lists the values that depend on an input or a weight. */
function fedValues(graph: Graph): Set<string> {
  return dependentValues(graph, [...graph.inputs.map(({ name }) => name), ...graph.weights.keys()]);
}

/**
 * Maximum number of elements of all inputs of a run: a hundred large photographs. A graph with larger inputs
 * can be exported with smaller extents, which change no symmetry.
 */
const MAX_INPUT_SIZE = 2 ** 25;

/** A tensor that is fed to a run. */
interface Feed {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * Checks, before a graph is run with random numbers, that its inputs are not too large, and that its inputs
 * and weights fit into the memory of this machine: a small file can claim extents for which no machine has
 * memory.
 * @throws InputError that names the largest input or weight
 */
function assertFitsMemory(
  { name: graph, inputs, weights }: Graph,
  batch: number,
  extents: Readonly<Record<string, number>>,
): void {
  const fed: readonly Feed[] = inputs.map((info) => {
    return {
      name: info.name,
      dtype: info.dtype ?? "f32",
      shape: inputShape(info, inputs, { batch, extents }),
    };
  });
  const size = fed.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (size > MAX_INPUT_SIZE) {
    const rule = `its inputs may have at most ${MAX_INPUT_SIZE} numbers for ${batch} examples: they have ${size}`;
    throw refuse(graph, rule, fed);
  }
  const all = [...fed, ...[...weights].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))];
  const bytes = all.reduce((sum, feed) => sum + bytesOf(feed), 0);
  if (bytes <= totalmem()) return;
  const rule = `its inputs and weights must fit the memory: they take ${bytes} bytes of ${totalmem()}`;
  throw refuse(graph, rule, all);
}

function bytesOf({ dtype, shape }: Feed): number {
  return sizeOf(shape) * DTYPES[dtype].bytes;
}

function refuse(graph: string, rule: string, feeds: readonly Feed[]): InputError {
  const [largest] = [...feeds].sort((a, b) => bytesOf(b) - bytesOf(a));
  const detail =
    largest === undefined
      ? ""
      : `, "${largest.name}" of ${largest.dtype} ${formatShape(largest.shape)} the most`;
  return new InputError(`Cannot run graph "${graph}" as ${rule}${detail}`, { input: graph });
}
