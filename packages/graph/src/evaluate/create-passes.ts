import { InputError, sizeOf, type Tensor } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import type { Engine, Session } from "../engine.ts";
import { bakeWeights } from "../ir/bake-weights.ts";
import type { Graph } from "../ir/graph.ts";
import { assertDataFits } from "./assert-data-fits.ts";
import type { EvaluatorOptions } from "./evaluator-options.ts";

/** The first output of a network for some examples. */
export interface LogitsBatch {
  /** `[labels.length, classes]`, row-major. */
  readonly logits: Float32Array;
  readonly labels: Int32Array;
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
}

/** A batch must be this many times repeated before preparing the graph anew for a network pays. */
const MIN_BATCHES_TO_BAKE = 3;

/** Gets ready to run networks: loads the graph, unless it is loaded anew for each with its weights as constants. */
export async function createPasses(task: PassesTask, options: Required<EvaluatorOptions>): Promise<Passes> {
  const { graph, engine, data, attempt } = task;
  const { batchSize, threads } = options;
  assertDataFits(attempt, graph, data, batchSize);
  const batches = Math.ceil(data.size / batchSize);
  const convolutional = graph.nodes.some(({ op }) => op === "Conv");
  const bake = options.bake === "auto" ? convolutional && batches >= MIN_BATCHES_TO_BAKE : options.bake;
  const load = (prepared: Graph) => engine.load(prepared, { threads });
  const shared = bake ? undefined : await load(graph);
  return {
    async run(weights, visit, signal) {
      if (shared !== undefined) return runPass(task, { batchSize, session: shared, weights, visit }, signal);
      const session = await load(bakeWeights(graph, weights));
      try {
        return await runPass(task, { batchSize, session, weights: new Map(), visit }, signal);
      } finally {
        await session.release();
      }
    },
    async release() {
      await shared?.release();
    },
  };
}

interface Pass {
  readonly batchSize: number;
  readonly session: Session;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly visit: (batch: LogitsBatch) => void;
}

async function runPass(
  task: PassesTask,
  { batchSize, session, weights, visit }: Pass,
  signal?: AbortSignal,
): Promise<void> {
  const { graph, data } = task;
  const input = graph.inputs[0]?.name ?? "";
  const output = graph.outputs[0]?.name ?? "";
  for (let begin = 0; begin < data.size; begin += batchSize) {
    signal?.throwIfAborted();
    const { inputs, labels } = data.read(begin, Math.min(begin + batchSize, data.size));
    const logits = (await session.run(new Map(weights).set(input, inputs))).get(output);
    visit({ logits: logitsOf(logits, task, labels.length), labels, begin });
  }
}

function logitsOf(logits: Tensor | undefined, { data, attempt }: PassesTask, examples: number): Float32Array {
  if (
    logits?.data instanceof Float32Array &&
    logits.shape.length === 2 &&
    logits.shape[0] === examples &&
    sizeOf(logits.shape) > 0
  )
    return logits.data;
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as the graph's first output must be f32 logits [examples, classes]: got ${logits?.dtype ?? "nothing"} [${logits?.shape.join(", ") ?? ""}]`,
    { input: data.name },
  );
}
