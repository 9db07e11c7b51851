import { DTYPES, formatShape, InputError, sameShape, sizeOf, type Tensor } from "@isthmus/core";
import type { Batch, DataSet } from "../data-set.ts";
import type { Engine, Session } from "../engine.ts";
import { bakeWeights } from "../ir/bake-weights.ts";
import type { Graph } from "../ir/graph.ts";
import { assertDataFits } from "./assert-data-fits.ts";
import type { EvaluatorOptions } from "./evaluator-options.ts";
import { type LabelledRows, nextTokenRows } from "./next-token.ts";

/** The first output of a network for some examples. */
export interface LogitsBatch extends LabelledRows {
  /** Rows of each example: 1, or of a text its tokens but the first. */
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
  /** Whether logits of the next token are taken, too. @defaultValue false */
  readonly texts?: boolean;
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
    const batch = data.read(begin, Math.min(begin + batchSize, data.size));
    const logits = (await session.run(new Map(weights).set(input, batch.inputs))).get(output);
    const labelled = rowsOf(logits, task, batch);
    visit({ ...labelled, rows: labelled.labels.length / batch.labels.length, begin });
  }
}

function rowsOf(
  logits: Tensor | undefined,
  { data, attempt, texts = false }: PassesTask,
  { inputs, labels }: Batch,
): LabelledRows {
  const { shape = [], data: values } = logits ?? {};
  const [examples, length = 0] = inputs.shape;
  if (values instanceof Float32Array && sizeOf(shape) > 0) {
    if (shape.length === 2 && shape[0] === examples) return { logits: values, labels };
    const isText = inputs.shape.length === 2 && length > 1 && !DTYPES[inputs.dtype].float;
    if (texts && isText && shape.length === 3 && sameShape(shape.slice(0, 2), inputs.shape))
      return nextTokenRows(values, Int32Array.from(inputs.data, Number), length);
  }
  const others = texts ? ", or [examples, length, vocabulary] for token ids [examples, length]" : "";
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as the graph's first output must be f32 logits [examples, classes]${others}: got ${logits?.dtype ?? "nothing"} ${formatShape(shape)} for ${inputs.dtype} ${formatShape(inputs.shape)}`,
    { input: data.name },
  );
}
