import { asFloat32, DTYPES, formatShape, InputError, sizeOf, type Tensor } from "@isthmus/core";
import type { Batch, DataSet } from "../data-set.ts";
import type { Engine, Session } from "../engine.ts";
import { type FedBatch, type FeedPlan, planFeeds } from "../feeding/plan-feeds.ts";
import { bakeWeights } from "../ir/bake-weights.ts";
import { extractSubgraph } from "../ir/extract-subgraph.ts";
import type { Graph } from "../ir/graph.ts";
import { assertClasses } from "../scoring/find-logits.ts";
import { type Scoring, scoringOf } from "../scoring/scoring-of.ts";
import { assertCausalRun, type RunTexts } from "./assert-causal-run.ts";
import type { EvaluatorOptions } from "./evaluator-options.ts";

/** Logits of a network for some examples, and their labels. */
export interface LogitsBatch {
  /** `[examples * rows, classes]`, row-major. */
  readonly logits: Float32Array;
  /** Class of each row, `[examples * rows]`; a negative number for rows that do not count. */
  readonly labels: Int32Array;
  /** Rows of each example: 1, or the number of its positions. */
  readonly rows: number;
  /** Index of the first of the examples in the data set. */
  readonly begin: number;
}

/** Options of one run over a data set. */
export interface PassOptions {
  readonly signal: AbortSignal | undefined;
  /** Asked after every batch whether the run may end before the others. @defaultValue never */
  readonly isEnough?: () => boolean;
}

/** Runs networks of one architecture over one data set. */
export interface Passes {
  /** How the networks are scored. */
  readonly scoring: Scoring;
  /**
   * Runs the whole data set once, in order.
   * @param visit - called for every batch
   */
  run(
    weights: ReadonlyMap<string, Tensor>,
    visit: (batch: LogitsBatch) => void,
    options: PassOptions,
  ): Promise<void>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/** A graph that is run, and the data that it is run on. */
export interface PassesTask {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  /** Name of the attempt for messages, for example `evaluate`. */
  readonly attempt: string;
  /** Whether logits of every position are accepted, too. @defaultValue false */
  readonly texts?: boolean;
}

/** Number of batches from which preparing the graph again for each network pays. */
const MIN_BATCHES_TO_BAKE = 3;

/**
 * Largest number of logits of a batch, 256 MB of f32: a hundred long texts with a large
 * vocabulary would not fit into memory.
 */
const MOST_LOGITS = 2 ** 26;

/** Limits the batch size to as many examples as have at most {@link MOST_LOGITS} logits. */
function limitBatch(
  { outputs }: Graph,
  { batchSize, plan }: { readonly batchSize: number; readonly plan: FeedPlan },
): number {
  const [, ...extents] = outputs[0]?.shape ?? [];
  const sizes: ReadonlyMap<string, number> = new Map(Object.entries(plan.extents));
  // Symbolic extents that no input has are not known.
  const numbers = extents.map((extent) => (typeof extent === "number" ? extent : (sizes.get(extent) ?? 1)));
  const perExample = numbers.reduce((total, extent) => total * extent, 1);
  return Math.min(batchSize, Math.max(1, Math.floor(MOST_LOGITS / perExample)));
}

/**
 * Prepares runs of networks: loads the graph, unless it is loaded for each network
 * with its weights as constants.
 */
export async function createPasses(task: PassesTask, options: Required<EvaluatorOptions>): Promise<Passes> {
  const { engine, data, attempt } = task;
  const { batchSize, threads } = options;
  const scoring = await scoringOf(attempt, task, data);
  const graph = onlyLogits(scoring);
  const asked = planFeeds(attempt, graph, data, batchSize);
  const plan = planFeeds(attempt, graph, data, limitBatch(graph, { batchSize, plan: asked }));
  const convolutional = graph.nodes.some(({ op }) => op === "Conv");
  const bake =
    options.bake === "auto" ? convolutional && plan.ranges.length >= MIN_BATCHES_TO_BAKE : options.bake;
  const load = (prepared: Graph) => engine.load(prepared, { threads });
  const shared = bake ? undefined : await load(graph);
  const prepared = { ...task, graph, plan };
  // A property of the graph, which the first network shows.
  let isChecked = false;
  const check = async (texts: RunTexts) => {
    if (!isChecked) await assertCausalRun(attempt, { graph: graph.name, data: data.name }, texts);
    isChecked = true;
  };
  return {
    scoring,
    async run(weights, visit, options) {
      if (shared !== undefined) return runPass(prepared, { session: shared, weights, visit, check }, options);
      const session = await load(bakeWeights(graph, weights));
      try {
        return await runPass(prepared, { session, weights: new Map(), visit, check }, options);
      } finally {
        await session.release();
      }
    },
    async release() {
      await shared?.release();
    },
  };
}

/**
 * Returns the part of a graph that computes the scored output, so that nothing else is computed or copied.
 */
function onlyLogits({ graph, output, logits }: Scoring): Graph {
  if (graph.outputs.length === 1 && graph.outputs[0]?.name === logits) return graph;
  const { shape } = output;
  return { ...extractSubgraph(graph, [], [logits]), outputs: [{ name: logits, ...(shape && { shape }) }] };
}

/** A task with its plan of batches. */
interface PreparedTask extends PassesTask {
  readonly plan: FeedPlan;
}

/** One run over a data set. */
interface Pass {
  readonly session: Session;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly visit: (batch: LogitsBatch) => void;
  /** Checks a batch of texts whose next tokens are predicted. */
  readonly check: (texts: RunTexts) => Promise<void>;
}

async function runPass(
  task: PreparedTask,
  { session, weights, visit, check }: Pass,
  { signal, isEnough = () => false }: PassOptions,
): Promise<void> {
  const { plan, graph } = task;
  const output = graph.outputs[0]?.name ?? "";
  for (const range of plan.ranges) {
    signal?.throwIfAborted();
    const fed = plan.read(range);
    const feeds = new Map([...weights, ...fed.feeds]);
    const read = (results: ReadonlyMap<string, Tensor>) => rowsOf(results.get(output), task, fed);
    const batch = read(await session.run(feeds));
    visit({ ...batch, begin: range.begin });
    if (batch.rows > 1 && task.data.labelling !== "position") {
      const reread = (results: ReadonlyMap<string, Tensor>) => read(results).logits;
      await check({ ...batch, session, feeds, tokens: plan.examples, read: reread });
    }
    if (isEnough()) return;
  }
}

/** Returns rows of logits with their labels, without the rows that only fill up a batch. */
function rowsOf(
  logits: Tensor | undefined,
  { graph, data, attempt, texts = false }: PassesTask,
  { batch, examples, rows: fedRows }: FedBatch,
): Omit<LogitsBatch, "begin"> {
  const { dtype = "bool", shape = [], data: values } = logits ?? {};
  const { inputs } = batch;
  const output = graph.outputs[0]?.name ?? "";
  if (values !== undefined && DTYPES[dtype].float && sizeOf(shape) > 0 && shape[0] === fedRows) {
    assertClasses(attempt, graph, { name: output, dtype, shape });
    const logitsOfExamples = asFloat32(values, dtype).subarray(0, (values.length / fedRows) * examples);
    if (shape.length === 2 && batch.labels.length === examples)
      return { logits: logitsOfExamples, labels: batch.labels, rows: 1 };
    const [, length = 0] = shape;
    const labels = texts && shape.length === 3 ? targetsOf(batch, data, length) : undefined;
    if (labels !== undefined) return { logits: logitsOfExamples, labels, rows: length };
  }
  const others = texts
    ? ", or [examples, length, classes] for token ids [examples, length] or labels [examples, length]"
    : "";
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as classification alone is measured, and the output that is scored must be logits [examples, classes]${others}: got ${logits?.dtype ?? "nothing"} ${formatShape(shape)} for ${inputs.dtype} ${formatShape(inputs.shape)} with labels ${formatShape(labelShape(batch.labels.length, examples))}`,
    { input: data.name },
  );
}

const labelShape = (labels: number, examples: number) =>
  labels === examples ? [examples] : [examples, labels / examples];

/** Label of a position that does not count. */
const NOTHING = -1;

/** Name of the attention mask in data sets. */
const MASK = "attention_mask";

/**
 * Returns the labels of every position of some examples: the class of the position, or the token
 * of the next position, so that the last position does not count. Positions that an attention
 * mask leaves out do not count.
 *
 * @param length - number of positions of an example
 * @returns `[examples * length]`, negative for positions that do not count; undefined if
 *   the data have no such labels
 */
function targetsOf(
  { inputs, labels, features }: Batch,
  { labelling = "example" }: Pick<DataSet, "labelling">,
  length: number,
): Int32Array | undefined {
  const [examples = 0] = inputs.shape;
  const isPerPosition = labels.length === examples * length;
  if (labelling === "position") return isPerPosition ? labels : undefined;
  if (labelling === "next") return isPerPosition ? shift(labels, length) : undefined;
  const isText = inputs.shape.length === 2 && inputs.shape[1] === length && !DTYPES[inputs.dtype].float;
  if (!isText || length < 2) return undefined;
  const tokens = Int32Array.from(inputs.data, Number);
  const mask = features?.get(MASK);
  if (mask?.data.length === tokens.length) {
    for (let i = 0; i < tokens.length; i++) if (Number(mask.data[i]) === 0) tokens[i] = NOTHING;
  }
  return shift(tokens, length);
}

/** Shifts rows `[rows, length]` by one to the left; the last position of each does not count. */
function shift(rows: Int32Array, length: number): Int32Array {
  const shifted = new Int32Array(rows.length).fill(NOTHING);
  for (let begin = 0; begin < rows.length; begin += length) {
    shifted.set(rows.subarray(begin + 1, begin + length), begin);
  }
  return shifted;
}
