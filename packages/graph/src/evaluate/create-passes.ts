import { formatShape, InputError, sizeOf, type Tensor } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import type { Engine, Session } from "../engine.ts";
import { logitsOf } from "../feeding/choose-logits.ts";
import { type FedBatch, type FeedPlan, planFeeds } from "../feeding/plan-feeds.ts";
import { bakeWeights } from "../ir/bake-weights.ts";
import { extractSubgraph } from "../ir/extract-subgraph.ts";
import type { Graph } from "../ir/graph.ts";
import type { EvaluatorOptions } from "./evaluator-options.ts";
import { targetsOf } from "./target-labels.ts";

/** What a network says of some examples, and what it should say. */
export interface LogitsBatch {
  /** `[examples * rows, classes]`, row-major. */
  readonly logits: Float32Array;
  /** Class of each row, `[examples * rows]`; a negative number where nothing is to be predicted. */
  readonly labels: Int32Array;
  /** Rows of each example: 1, or its positions. */
  readonly rows: number;
  /** Place of the first of the examples in the data set. */
  readonly begin: number;
}

/** Runs networks of one architecture over one data set. */
export interface Passes {
  /**
   * Runs the whole data set once, in order.
   * @param visit - called for every batch
   */
  run(
    weights: ReadonlyMap<string, Tensor>,
    visit: (batch: LogitsBatch) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  release(): Promise<void>;
}

/** What is run, and what it is run on. */
export interface PassesTask {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  /** What is attempted, for messages, for example `evaluate`. */
  readonly attempt: string;
  /** Whether logits of every position are taken, too. @defaultValue false */
  readonly texts?: boolean;
}

/** A batch must be this many times repeated before preparing the graph anew for a network pays. */
const MIN_BATCHES_TO_BAKE = 3;

/** Logits that are held at once, 256 MB of f32: those of long texts over many words would not fit into memory by the hundred. */
const MOST_LOGITS = 2 ** 26;

/** As many examples as are asked for, but no more than whose logits may be held at once. */
function limitBatch(
  { outputs }: Graph,
  { batchSize, plan }: { readonly batchSize: number; readonly plan: FeedPlan },
): number {
  const [, ...extents] = outputs[0]?.shape ?? [];
  const numbers = extents.map((extent) =>
    typeof extent === "number" ? extent : (plan.extents[extent] ?? 1),
  );
  const perExample = numbers.reduce((total, extent) => total * extent, 1);
  return Math.min(batchSize, Math.max(1, Math.floor(MOST_LOGITS / perExample)));
}

/** Gets ready to run networks: loads the graph, unless it is loaded anew for each with its weights as constants. */
export async function createPasses(task: PassesTask, options: Required<EvaluatorOptions>): Promise<Passes> {
  const { engine, data, attempt } = task;
  const { batchSize, threads } = options;
  const graph = onlyLogits(task.graph);
  const asked = planFeeds(attempt, graph, data, batchSize);
  const plan = planFeeds(attempt, graph, data, limitBatch(graph, { batchSize, plan: asked }));
  const convolutional = graph.nodes.some(({ op }) => op === "Conv");
  const bake =
    options.bake === "auto" ? convolutional && plan.ranges.length >= MIN_BATCHES_TO_BAKE : options.bake;
  const load = (prepared: Graph) => engine.load(prepared, { threads });
  const shared = bake ? undefined : await load(graph);
  const prepared = { ...task, graph, plan };
  return {
    async run(weights, visit, signal) {
      if (shared !== undefined) return runPass(prepared, { session: shared, weights, visit }, signal);
      const session = await load(bakeWeights(graph, weights));
      try {
        return await runPass(prepared, { session, weights: new Map(), visit }, signal);
      } finally {
        await session.release();
      }
    },
    async release() {
      await shared?.release();
    },
  };
}

/** The part of a graph that computes what is scored, so that nothing else is computed or copied. */
function onlyLogits(graph: Graph): Graph {
  return graph.outputs.length < 2 ? graph : extractSubgraph(graph, [], [logitsOf(graph)]);
}

interface PreparedTask extends PassesTask {
  readonly plan: FeedPlan;
}

interface Pass {
  readonly session: Session;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly visit: (batch: LogitsBatch) => void;
}

async function runPass(
  task: PreparedTask,
  { session, weights, visit }: Pass,
  signal?: AbortSignal,
): Promise<void> {
  const { plan, graph } = task;
  const output = graph.outputs[0]?.name ?? "";
  for (const range of plan.ranges) {
    signal?.throwIfAborted();
    const fed = plan.read(range);
    const logits = (await session.run(new Map([...weights, ...fed.feeds]))).get(output);
    visit({ ...rowsOf(logits, task, fed), begin: range.begin });
  }
}

/** Rows of logits with their labels; those of examples that only fill up a batch are left out. */
function rowsOf(
  logits: Tensor | undefined,
  { data, attempt, texts = false }: PassesTask,
  { batch, examples, rows: fedRows }: FedBatch,
): Omit<LogitsBatch, "begin"> {
  const { shape = [], data: values } = logits ?? {};
  const { inputs } = batch;
  if (values instanceof Float32Array && sizeOf(shape) > 0 && shape[0] === fedRows) {
    const own = values.subarray(0, (values.length / fedRows) * examples);
    if (shape.length === 2 && batch.labels.length === examples)
      return { logits: own, labels: batch.labels, rows: 1 };
    const length = shape[1] ?? 0;
    const labels = texts && shape.length === 3 ? targetsOf(batch, data, length) : undefined;
    if (labels !== undefined) return { logits: own, labels, rows: length };
  }
  const others = texts
    ? ", or [examples, length, classes] for token ids [examples, length] or labels [examples, length]"
    : "";
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as the graph's output that is scored must be f32 logits [examples, classes]${others}: got ${logits?.dtype ?? "nothing"} ${formatShape(shape)} for ${inputs.dtype} ${formatShape(inputs.shape)} with labels ${formatShape(labelShape(batch.labels.length, examples))}`,
    { input: data.name },
  );
}

const labelShape = (labels: number, examples: number) =>
  labels === examples ? [examples] : [examples, labels / examples];
