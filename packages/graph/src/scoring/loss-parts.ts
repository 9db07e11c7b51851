import { DTYPES, entry, InputError, type Tensor, type TensorInfo } from "@isthmus/core";
import type { Batch, DataSet, Labelling } from "../data-set.ts";
import type { Graph } from "../ir/graph.ts";
import { isElementwise } from "./elementwise-losses.ts";
import { lossOfOutput } from "./score-by.ts";

/** Loss of one of several outputs: a graph that is scored only by it, and data with only its labels. */
export interface LossPart {
  /** Name of the output. */
  readonly name: string;
  /** Graph that is scored by this output alone. */
  readonly graph: Graph;
  /** Data set whose labels are the labels of this output alone. */
  readonly data: DataSet;
  /** Returns a batch of the whole data in the form that the part uses. */
  view(batch: Batch): Batch;
  /** Factor of the loss in the sum over outputs. */
  readonly weight: number;
}

/**
 * Divides the loss of several outputs into its parts.
 * @returns a single part with weight 1 if the loss has one output
 * @throws InputError if the data lack an array of labels, or labels of classes are not whole numbers
 */
export function lossParts(attempt: string, graph: Graph, data: DataSet): LossPart[] {
  const { loss } = graph;
  if (typeof loss !== "object") return [{ name: "", graph, data, view: same, weight: 1 }];
  return Object.entries(loss).map(([name, part]) => {
    const { loss: kind, targets, weight = 1 } = lossOfOutput(part);
    const array = targets ?? (data.features?.has(name) ? name : undefined);
    const scored = { ...graph, scored: name, loss: kind };
    if (array === undefined) return { name, graph: scored, data, view: same, weight };
    const info = data.features?.get(array);
    if (info === undefined) throw noArray(attempt, data, { name, array });
    if (isElementwise(kind)) {
      const { unlabelled: _, ...others } = data;
      const ofNumbers: DataSet = { ...others, labelling: "none", targets: array, classes: 0 };
      return { name, graph: scored, data: ofNumbers, view: same, weight };
    }
    return { name, graph: scored, ...labelledBy(attempt, data, { array, info }), weight };
  });
}

const same = (batch: Batch): Batch => batch;

/** Number of examples whose labels are read at once. */
const CHUNK = 1024;

/** Returns a data set with one of its further arrays as labels. */
function labelledBy(
  attempt: string,
  data: DataSet,
  { array, info }: { readonly array: string; readonly info: TensorInfo },
): Pick<LossPart, "data" | "view"> {
  const { dtype, shape } = info;
  if (DTYPES[dtype].float) {
    throw new InputError(
      `Cannot ${attempt} on "${data.name}" as labels of classes must be whole numbers: "${array}" is ${dtype}; give a loss of numbers for its output`,
      { input: data.name },
    );
  }
  const labelling = labellingOf(shape);
  const { unlabelled: _, targets: __, gatherInto: ___, ...others } = data;
  const view = (batch: Batch): Batch => {
    const { data: labels } = entry(batch.features ?? new Map<string, Tensor>(), array, "array");
    return { ...batch, labels: Int32Array.from(labels as ArrayLike<number | bigint>, Number) };
  };
  const read = (begin: number, end: number) => view(data.read(begin, end));
  const counted = COUNTED.get(data) ?? new Map<string, number>();
  COUNTED.set(data, counted);
  const classes = counted.get(array) ?? countClasses(data.size, read);
  counted.set(array, classes);
  return { data: { ...others, labelling, classes, read }, view };
}

/** Numbers of classes by the array of the labels, as training requests the same numbers for every batch. */
const COUNTED = new WeakMap<DataSet, Map<string, number>>();

function countClasses(size: number, read: DataSet["read"]): number {
  let largest = 0;
  for (let begin = 0; begin < size; begin += CHUNK) {
    const { labels } = read(begin, Math.min(size, begin + CHUNK));
    largest = labels.reduce((most, label) => Math.max(most, label), largest);
  }
  return largest + 1;
}

/** Determines whether labels of a shape belong to examples, positions or pixels. */
function labellingOf(shape: readonly number[]): Labelling {
  const extents = shape.filter((extent) => extent !== 1);
  if (extents.length === 0) return "example";
  return extents.length === 1 ? "position" : "pixel";
}

function noArray(
  attempt: string,
  { name: data, features }: DataSet,
  { name, array }: { readonly name: string; readonly array: string },
): InputError {
  const present = [...(features?.keys() ?? [])].map((feature) => `"${feature}"`).join(", ") || "none";
  return new InputError(
    `Cannot ${attempt} on "${data}" as the labels of output "${name}" must be one of its arrays: there is no "${array}" but ${present}`,
    { input: data },
  );
}
