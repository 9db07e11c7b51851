import { asFloat32, DTYPES, EngineError, sizeOf, type Tensor } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import type { Engine, Session } from "../engine.ts";
import { type FedBatch, type FeedPlan, planFeeds } from "../feeding/plan-feeds.ts";
import { bakeWeights } from "../ir/bake-weights.ts";
import { extractSubgraph } from "../ir/extract-subgraph.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";
import type { EvaluatorOptions } from "./evaluator-options.ts";

/** A batch of examples that a network has computed. */
export interface RunBatch extends FedBatch {
  /** Index in the data set of the first example. */
  readonly begin: number;
  /** Computed values by name, including rows that only fill up the batch. */
  readonly results: ReadonlyMap<string, Tensor>;
  /** Session that computed the batch, for running it again with changes. */
  readonly session: Session;
  /** All tensors that the graph was fed, including weights, by name. */
  readonly fed: ReadonlyMap<string, Tensor>;
  /** Name of the input that takes the inputs of the data set. */
  readonly inputs: string;
}

/** Options of one run over a data set. */
export interface PassOptions {
  /** Signal that stops the run between two batches; undefined if nothing stops it. */
  readonly signal: AbortSignal | undefined;
  /** Called after every batch; returns whether the run may end early. @defaultValue never */
  readonly isEnough?: () => boolean;
}

/** Runs networks of one architecture over one data set. */
export interface Passes {
  /**
   * Runs the whole data set once, in order.
   * @param visit - called for every batch, and awaited
   */
  run(
    weights: ReadonlyMap<string, Tensor>,
    visit: (batch: RunBatch) => void | Promise<void>,
    options: PassOptions,
  ): Promise<void>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/** A graph that is run, and the data that it is run on. */
export interface PassesTask {
  /** Graph with the values to compute. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** Examples to run the graph on. */
  readonly data: DataSet;
  /** Name of the attempt for messages, for example `evaluate`. */
  readonly attempt: string;
  /** Values of the graph to compute, at least one. */
  readonly outputs: readonly ValueInfo[];
}

/** Number of batches from which it pays to prepare the graph again for each network. */
const MIN_BATCHES_TO_BAKE = 3;

/**
 * Maximum number of logits of a batch, 256 MB of f32: a hundred long texts with a large vocabulary would not
 * fit into memory.
 */
const MOST_LOGITS = 2 ** 26;

/** Limits the batch size to as many examples as have at most {@link MOST_LOGITS} logits. */
function limitBatch(
  { outputs }: Graph,
  { batchSize, plan }: { readonly batchSize: number; readonly plan: FeedPlan },
): number {
  const sizes: ReadonlyMap<string, number> = new Map(Object.entries(plan.extents));
  let perExample = 0;
  for (const { shape = [] } of outputs) {
    const [, ...extents] = shape;
    // Symbolic extents that no input has are unknown.
    const numbers = extents.map((extent) => (typeof extent === "number" ? extent : (sizes.get(extent) ?? 1)));
    perExample += sizeOf(numbers);
  }
  return Math.min(batchSize, Math.max(1, Math.floor(MOST_LOGITS / perExample)));
}

/**
 * Prepares runs of networks: loads the graph once, unless each network needs its own session with weights as
 * constants.
 */
export async function createPasses(task: PassesTask, options: Required<EvaluatorOptions>): Promise<Passes> {
  const { engine, data, attempt } = task;
  const { batchSize, threads } = options;
  const graph = onlyOutputs(task.graph, task.outputs);
  const asked = planFeeds(attempt, graph, data, batchSize);
  const plan = planFeeds(attempt, graph, data, limitBatch(graph, { batchSize, plan: asked }));
  const convolutional = graph.nodes.some(({ op }) => op === "Conv");
  const bake =
    options.bake === "auto" ? convolutional && plan.ranges.length >= MIN_BATCHES_TO_BAKE : options.bake;
  const fit: Fit = { most: Number.POSITIVE_INFINITY, engine };
  const load = (prepared: Graph) => engine.load(prepared, { threads });
  const shared = bake ? undefined : await load(graph);
  return {
    async run(weights, visit, passOptions) {
      if (shared !== undefined) return runPass(plan, { session: shared, weights, visit, fit }, passOptions);
      const session = await load(bakeWeights(graph, weights));
      try {
        return await runPass(plan, { session, weights: new Map(), visit, fit }, passOptions);
      } finally {
        await session.release();
      }
    },
    async release() {
      await shared?.release();
    },
  };
}

/** Returns the part of a graph that computes some values, so that no others are computed or copied. */
function onlyOutputs(whole: Graph, outputs: readonly ValueInfo[]): Graph {
  // Losses of several outputs may name outputs that the part lacks.
  const { loss, ...unscored } = whole;
  const graph = typeof loss === "object" ? unscored : whole;
  const [only, ...others] = outputs;
  if (others.length === 0 && graph.outputs.length === 1 && graph.outputs[0]?.name === only?.name)
    return graph;
  const names = outputs.map(({ name }) => name);
  return {
    ...extractSubgraph(graph, [], names),
    outputs: outputs.map(({ name, shape }) => ({ name, ...(shape && { shape }) })),
  };
}

/** The largest batch that may still be tried: an engine's memory was too small for larger ones. */
interface Fit {
  most: number;
  readonly engine: Engine;
}

/** One run over a data set. */
interface Pass {
  readonly session: Session;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly visit: (batch: RunBatch) => void | Promise<void>;
  readonly fit: Fit;
}

async function runPass(
  plan: FeedPlan,
  { session, weights, visit, fit }: Pass,
  { signal, isEnough = () => false }: PassOptions,
): Promise<void> {
  const left = plan.ranges.toReversed();
  for (let range = left.pop(); range !== undefined; range = left.pop()) {
    signal?.throwIfAborted();
    const size = range.end - range.begin;
    if (size > fit.most) {
      const middle = range.begin + fit.most;
      left.push({ begin: middle, end: range.end }, { begin: range.begin, end: middle });
      continue;
    }
    const batch = plan.read(range);
    const fed = new Map([...weights, ...batch.feeds]);
    const results = await runFitting(session, fed, { fit, size: plan.fixedBatch === undefined ? size : 1 });
    if (results === undefined) left.push(range);
    else {
      await visit({ ...batch, begin: range.begin, results, session, fed, inputs: plan.examples });
      if (isEnough()) return;
    }
  }
}

/**
 * Runs a batch; if memory is too small for several examples, halves the number that fits, and returns
 * undefined.
 */
async function runFitting(
  session: Session,
  fed: ReadonlyMap<string, Tensor>,
  { fit, size }: { readonly fit: Fit; readonly size: number },
): Promise<ReadonlyMap<string, Tensor> | undefined> {
  try {
    return await session.run(fed);
  } catch (error) {
    if (!(error instanceof EngineError && error.lacksMemory) || size <= 1) throw error;
    fit.most = Math.floor(size / 2);
    fit.engine.note?.(
      `Memory of ${fit.engine.name} is too small for ${size} examples at once: they are evaluated by ${fit.most}`,
    );
    return undefined;
  }
}

/** Numbers of some examples that a network computed, without rows that only fill up a batch. */
export interface ExampleValues {
  /** Numbers of the examples, `[examples, ...]`, row-major. */
  readonly values: Float32Array;
  /** Shape of the numbers of one example. */
  readonly shape: readonly number[];
}

/**
 * Returns a value of the examples of a batch as f32.
 * @returns undefined if the value is not floating-point, or does not have a row for each example
 */
export function valuesOf(
  tensor: Tensor | undefined,
  { examples, rows }: Pick<FedBatch, "examples" | "rows">,
): ExampleValues | undefined {
  if (tensor === undefined || !DTYPES[tensor.dtype].float || tensor.data.length === 0) return undefined;
  const [first, ...shape] = tensor.shape;
  if (first !== rows) return undefined;
  const values = asFloat32(tensor.data, tensor.dtype);
  return { values: values.subarray(0, (values.length / rows) * examples), shape };
}
