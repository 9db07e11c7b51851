import {
  assertWholeOptions,
  at,
  convertData,
  DTYPES,
  formatShape,
  InputError,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import { fixedBatch } from "../batch/follow-batch.ts";
import type { Batch, DataSet } from "../data-set.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";
import { tableRows } from "../probe/random-inputs.ts";
import { lossOfOutput } from "../scoring/score-by.ts";
import { fillBatch, fillInput } from "./fill-batch.ts";
import { type FilledInput, type MatchedInput, matchInputs } from "./match-inputs.ts";

/** A range of examples that are run together. */
export interface BatchRange {
  /** Index in the data set of the first example, from 0. */
  readonly begin: number;
  /** End of the range in the data set, exclusive. */
  readonly end: number;
}

/** A batch of examples, ready to be run. */
export interface FedBatch {
  /** A tensor for every data input of the graph. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** The examples as the data set returns them. */
  readonly batch: Batch;
  /**
   * Number of examples; further rows of the feeds only fill up the batch, and their results must be ignored.
   */
  readonly examples: number;
  /** Number of rows of the feeds. */
  readonly rows: number;
}

/** Plan by which a graph is fed the examples of a data set. */
export interface FeedPlan {
  /** Ranges of all examples, in order. */
  readonly ranges: readonly BatchRange[];
  /** Number of examples in every batch of a graph with a fixed batch; undefined for other graphs. */
  readonly fixedBatch: number | undefined;
  /** Name of the input that takes the inputs of the data set. */
  readonly examples: string;
  /**
   * Extents in the examples of symbolic dimensions other than the batch, such as
   * a sequence's length, by name.
   */
  readonly extents: Readonly<Record<string, number>>;
  /** Inputs that the data lack. */
  readonly filled: readonly FilledInput[];
  /** Further arrays of the data that the graph does not read. */
  readonly unread: readonly string[];
  /** Returns the feeds for a batch that the caller has read. */
  feedsOf(batch: Batch): ReadonlyMap<string, Tensor>;
  /**
   * Reads a range of examples. A batch with fewer examples than the graph takes is filled up with copies of
   * its last example.
   */
  read(range: BatchRange): FedBatch;
}

/**
 * Plans the run of a graph on a data set in batches: the array for each input, and the examples of each
 * batch. A graph with a fixed batch is run in batches of that size.
 *
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @throws InputError if there are no examples, no array for an input of the graph, or the examples do not fit
 *   the graph
 * @throws OutOfRangeError if `batchSize` is not a whole number of at least 1
 */
export function planFeeds(attempt: string, graph: Graph, data: DataSet, batchSize: number): FeedPlan {
  assertWholeOptions(attempt, { batchSize }, { batchSize: 1 });
  if (data.size === 0) {
    throw new InputError(`Cannot ${attempt} on "${data.name}" as it must have examples: it is empty`, {
      input: data.name,
    });
  }
  const matched = matchInputs(attempt, graph, data);
  for (const match of matched) assertFits(attempt, { ...match, data, example: infoOf(match, data) });
  const fixed = fixedBatch(graph);
  const feedsOf = createFeeder(attempt, graph, { data, matched });
  const used = new Set(matched.map(({ source }) => (source.kind === "feature" ? source.name : "")));
  for (const name of labelNames(graph, data)) used.add(name);
  return {
    ranges: rangesOf(data.size, fixed ?? batchSize),
    fixedBatch: fixed,
    examples: matched.find(({ source }) => source.kind === "inputs")?.input.name ?? "",
    extents: Object.fromEntries(matched.flatMap((match) => extentsOf(match, data))),
    filled: matched.flatMap(({ input: { name }, source }) =>
      source.kind === "filled" ? [{ name, filling: source.filling }] : [],
    ),
    unread: [...(data.features?.keys() ?? [])].filter((name) => !used.has(name)),
    feedsOf,
    read({ begin, end }) {
      const batch = data.read(begin, end);
      const examples = end - begin;
      const rows = fixed ?? examples;
      return { feeds: feedsOf(rows === examples ? batch : fillBatch(batch, rows)), batch, examples, rows };
    },
  };
}

/** Lists the arrays of a data set that contain labels, and are therefore not fed. */
function labelNames({ loss }: Graph, { targets }: DataSet): string[] {
  const ofOutputs =
    typeof loss === "object"
      ? Object.entries(loss).map(([name, part]) => lossOfOutput(part).targets ?? name)
      : [];
  return targets === undefined ? ofOutputs : [targets, ...ofOutputs];
}

function rangesOf(size: number, batch: number): BatchRange[] {
  return Array.from({ length: Math.ceil(size / batch) }, (_, i) => ({
    begin: i * batch,
    end: Math.min((i + 1) * batch, size),
  }));
}

/**
 * Returns type and shape of the part of an input that belongs to one example; undefined if the input is
 * filled in.
 */
function infoOf({ source }: MatchedInput, data: DataSet): TensorInfo | undefined {
  if (source.kind === "feature") return data.features?.get(source.name);
  if (source.kind === "filled") return undefined;
  return { dtype: data.read(0, 1).inputs.dtype, shape: data.exampleShape };
}

/** Lists the extents of the symbolic dimensions of an input, except the first. */
function extentsOf(matched: MatchedInput, data: DataSet): [string, number][] {
  const example = infoOf(matched, data);
  const { shape = [] } = matched.input;
  // Positions may have one row for all examples.
  const extents = example === undefined && shape.length === 1 ? shape : shape.slice(1);
  return extents.flatMap((extent, axis): [string, number][] => {
    const length = example === undefined ? data.exampleShape[axis] : example.shape[axis];
    return typeof extent === "string" && length !== undefined ? [[extent, length]] : [];
  });
}

/** An input, with type and shape of an example for it. */
interface Fit extends MatchedInput {
  readonly data: DataSet;
  readonly example: TensorInfo | undefined;
}

function assertFits(attempt: string, { input, data, example }: Fit): void {
  const { name, dtype, shape } = input;
  if (example === undefined) return;
  const expected = shape?.slice(1);
  const fits =
    expected === undefined ||
    (expected.length === example.shape.length &&
      expected.every((extent, axis) => typeof extent === "string" || extent === example.shape[axis]));
  if (fits && (dtype === undefined || canConvert(example, input))) return;
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as its examples must fit the graph's input "${name}", ${dtype ?? ""} [${expected?.join(", ") ?? ""}]: they are ${example.dtype} ${formatShape(example.shape)}${adviceFor(input, example)}`,
    { input: data.name },
  );
}

/**
 * Returns advice about numbers for words, axes of extent 1, images with their channels last and texts of
 * another length; `""` in other cases.
 */
function adviceFor({ dtype = "f32", shape = [] }: ValueInfo, example: TensorInfo): string {
  const [, length] = shape;
  if (!DTYPES[dtype].float && DTYPES[example.dtype].float) {
    return "; this input takes whole numbers, such as token ids: give text:FILE or tokens:FILE";
  }
  const withoutOnes = (extents: readonly (number | string)[]) =>
    extents.filter((extent) => extent !== 1).join();
  const differsInOnes =
    example.shape.length + 1 !== shape.length && withoutOnes(shape.slice(1)) === withoutOnes(example.shape);
  if (differsInOnes) {
    return "; they differ in axes of extent 1 alone: reshape the examples (npz:FILE), or export the graph with these axes";
  }
  const moved = [...example.shape.slice(-1), ...example.shape.slice(0, -1)];
  const isMoved = moved.length > 2 && shape.length === moved.length + 1;
  if (
    isMoved &&
    shape.slice(1).every((extent, axis) => typeof extent === "string" || extent === moved[axis])
  ) {
    return `: channels last; transpose the examples to ${formatShape(moved)}`;
  }
  const isText = !DTYPES[dtype].float && !DTYPES[example.dtype].float && shape.length === 2;
  if (!isText || example.shape.length !== 1 || typeof length !== "number") return "";
  const tokens = at(example.shape, 0, "axis");
  return tokens > length
    ? `; cut texts to ${length} tokens, or export the graph for ${tokens}`
    : `; pad texts to ${length} tokens under an attention mask, or export the graph for ${tokens}`;
}

/**
 * Checks whether data may be converted: whole numbers and floats to another width, and masks to any type, but
 * not whole numbers to floats.
 */
function canConvert(example: TensorInfo, { dtype = "f32", name }: ValueInfo): boolean {
  if (example.dtype === dtype) return true;
  return DTYPES[example.dtype].float === DTYPES[dtype].float || /mask/i.test(name);
}

function createFeeder(
  attempt: string,
  graph: Graph,
  { data, matched }: { readonly data: DataSet; readonly matched: readonly MatchedInput[] },
): (batch: Batch) => ReadonlyMap<string, Tensor> {
  const [only] = matched;
  const checks = matched.map(({ input }) => createIndexCheck(attempt, { graph, data, input }));
  const isPlain = matched.length === 1 && only?.source.kind === "inputs" && checks[0] === undefined;
  if (isPlain) {
    const { name, dtype } = only.input;
    return ({ inputs }) => new Map([[name, asType(inputs, dtype)]]);
  }
  return (batch) => {
    const feeds = new Map<string, Tensor>();
    matched.forEach(({ input, source }, i) => {
      const tensor =
        source.kind === "filled"
          ? fillInput(input, source.filling, batch.inputs.shape)
          : source.kind === "inputs"
            ? batch.inputs
            : batch.features?.get(source.name);
      if (tensor === undefined) return;
      if (source.kind !== "filled") checks[i]?.(tensor);
      feeds.set(input.name, asType(tensor, input.dtype));
    });
    return feeds;
  };
}

function asType(tensor: Tensor, dtype: Tensor["dtype"] | undefined): Tensor {
  if (dtype === undefined || tensor.dtype === dtype) return tensor;
  return { dtype, shape: tensor.shape, data: convertData(tensor.data, tensor.dtype, dtype) };
}

/**
 * Makes a function that checks that indices are rows of the table in which the graph looks them up; undefined
 * if there is no table.
 */
function createIndexCheck(
  attempt: string,
  { graph, data, input }: { readonly graph: Graph; readonly data: DataSet; readonly input: ValueInfo },
): ((tensor: Tensor) => void) | undefined {
  const rows =
    input.dtype !== undefined && DTYPES[input.dtype].float ? undefined : tableRows(graph, input.name);
  if (rows === undefined) return undefined;
  return ({ data: ids, shape }) => {
    const wrong = findOutside(ids as ArrayLike<number | bigint>, rows);
    if (wrong < 0) return;
    const width = ids.length / at(shape, 0, "axis");
    throw new InputError(
      `Cannot ${attempt} on "${data.name}" as numbers fed to "${input.name}" must be from 0 to ${rows - 1}, the rows of its table in graph "${graph.name}": there is ${ids[wrong]} at position ${wrong % width} of an example; were the texts encoded for another vocabulary?`,
      { input: data.name },
    );
  };
}

function findOutside(ids: ArrayLike<number | bigint>, rows: number): number {
  for (let i = 0; i < ids.length; i++) {
    const id = Number(ids[i]);
    if (!(id >= 0 && id < rows)) return i;
  }
  return -1;
}
