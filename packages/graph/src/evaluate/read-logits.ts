import { DTYPES, formatShape, InputError, sizeOf, type Tensor } from "@isthmus/core";
import type { Batch, DataSet } from "../data-set.ts";
import type { Graph } from "../ir/graph.ts";
import { classAxisOf } from "../scoring/choose-output.ts";
import { assertClasses } from "../scoring/find-logits.ts";
import type { Scoring } from "../scoring/scoring-of.ts";
import { assertCausalRun } from "./assert-causal-run.ts";
import { type ExampleValues, type RunBatch, valuesOf } from "./create-passes.ts";

/** Logits of a network for some examples, and their labels. */
export interface LogitsBatch {
  /** Logits, `[examples * rows, classes]`, row-major. */
  readonly logits: Float32Array;
  /** Class of each row, `[examples * rows]`; a negative number for rows that do not count. */
  readonly labels: Int32Array;
  /** Number of rows of each example: 1, or the number of its positions or pixels. */
  readonly rows: number;
  /** Index in the data set of the first example. */
  readonly begin: number;
}

/** A value of a graph that contains logits of classes, and the data with the labels. */
export interface LogitsTask {
  /** Graph that computes the logits. */
  readonly graph: Graph;
  /** Loss of the networks, and the value of the graph that contains the logits. */
  readonly scoring: Scoring;
  /** Examples with the labels. */
  readonly data: DataSet;
  /** Name of the attempt for messages, for example `evaluate`. */
  readonly attempt: string;
  /** Whether logits of every position or pixel are accepted, too. @defaultValue false */
  readonly texts?: boolean;
}

/**
 * Creates the function that reads the logits of a batch with their labels. On the first text it checks that
 * each token is predicted only from earlier tokens.
 */
export function createLogitsReader(task: LogitsTask): (run: RunBatch) => Promise<LogitsBatch> {
  const { graph, data, attempt, scoring } = task;
  // Whether tokens are predicted only from earlier ones is a property of the graph, so that checking the
  // first network suffices.
  let isChecked = data.labelling === "position" || data.labelling === "pixel";
  return async (run) => {
    const read = (results: ReadonlyMap<string, Tensor>) => rowsOf(results.get(scoring.logits), task, run);
    const batch = read(run.results);
    if (batch.rows > 1 && !isChecked) {
      const texts = { ...batch, session: run.session, feeds: run.fed, tokens: run.inputs };
      const reread = (results: ReadonlyMap<string, Tensor>) => read(results).logits;
      await assertCausalRun(attempt, { graph: graph.name, data: data.name }, { ...texts, read: reread });
      isChecked = true;
    }
    return { ...batch, begin: run.begin };
  };
}

/** Returns rows of logits with their labels, without the rows that only fill up a batch. */
function rowsOf(logits: Tensor | undefined, task: LogitsTask, run: RunBatch): Omit<LogitsBatch, "begin"> {
  const { data, texts = false } = task;
  const { batch, examples } = run;
  const read = valuesOf(logits, run);
  if (read === undefined) throw noLogits(logits, task, run);
  const form = data.labelling === "pixel" ? "pixels" : "classes";
  const classAxis = classAxisOf(form, logits?.shape, data);
  assertClasses(task.attempt, task.graph, { name: task.scoring.logits, ...logits }, classAxis);
  if (form === "pixels") {
    const rows = texts ? pixelsOf(read, { classAxis, labels: batch.labels.length / examples }) : undefined;
    if (rows !== undefined) return { ...rows, labels: batch.labels };
    throw noLogits(logits, task, run);
  }
  if (read.shape.length === 1 && batch.labels.length === examples)
    return { logits: read.values, labels: batch.labels, rows: 1 };
  const [length = 0] = read.shape;
  const labels = texts && read.shape.length === 2 ? targetsOf(batch, data, length) : undefined;
  if (labels !== undefined) return { logits: read.values, labels, rows: length };
  throw noLogits(logits, task, run);
}

/** Returns the logits of each pixel as a row; undefined if the numbers of pixels and labels differ. */
function pixelsOf(
  { values, shape }: ExampleValues,
  { classAxis, labels }: { readonly classAxis: number; readonly labels: number },
): Pick<LogitsBatch, "logits" | "rows"> | undefined {
  const isLast = classAxis === -1;
  const classes = (isLast ? shape.at(-1) : shape[0]) ?? 1;
  const pixels = sizeOf(shape) / classes;
  if (pixels !== labels) return undefined;
  if (isLast) return { logits: values, rows: pixels };
  const rows = new Float32Array(values.length);
  for (let begin = 0; begin < values.length; begin += classes * pixels) {
    for (let c = 0; c < classes; c++) {
      const from = begin + c * pixels;
      for (let i = 0; i < pixels; i++) rows[begin + i * classes + c] = values[from + i] as number;
    }
  }
  return { logits: rows, rows: pixels };
}

function noLogits(
  logits: Tensor | undefined,
  { data, attempt, texts = false }: LogitsTask,
  { batch, examples }: RunBatch,
): InputError {
  const { inputs, labels } = batch;
  const others = texts
    ? ", or [examples, length, classes] for token ids [examples, length] or labels [examples, length], or [examples, classes, height, width] for labels of pixels"
    : "";
  return new InputError(
    `Cannot ${attempt} on "${data.name}" as the output that is scored by classes must be logits [examples, classes]${others}: got ${logits?.dtype ?? "nothing"} ${formatShape(logits?.shape ?? [])} for ${inputs.dtype} ${formatShape(inputs.shape)} with labels ${formatShape(labelShape(labels.length, examples))}`,
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
