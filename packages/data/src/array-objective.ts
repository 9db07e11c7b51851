import {
  createTensor,
  DTYPES,
  entry,
  InputError,
  OutOfRangeError,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { Batch, DataSet } from "@isthmus/graph";
import { assertReads } from "./assert-reads.ts";
import type { Objective } from "./open-data-options.ts";
import { DECODER_IDS, shiftTokens, type TextObjective } from "./text-objective.ts";

/** Number of pairs of an image and a text that are compared with each other in an example by default. */
export const PAIRS = 8;

/** Name of the array of labels of pairs. */
const LABELS = "pair";

/** Setting behind the name of a file of arrays that says how many pairs an example has. */
export const PAIRS_SETTING: Readonly<Record<string, RegExp>> = { pairs: /pairs=(\d+)/ };

/**
 * Returns the examples of arrays in the form that an objective asks for; other data and objectives are
 * returned unchanged:
 *
 * - `paired`: each example is a number of pairs that follow each other, with labels `pair`: the place of
 *   the partner of each, `[pairs]`, or a one for each two that belong together, `[pairs, pairs]`; pairs
 *   beyond the last whole example are left out;
 * - `continued`: labels `[n, length]` are the tokens that a decoder writes, and its input `decoder_input_ids`
 *   are these tokens behind the first one of the decoder, unless the data have that array.
 * @param pairs - number of pairs of an example that the name of the data requests; undefined for none
 * @throws InputError if there are fewer pairs than an example has, or pairs are requested for another
 * objective
 * @throws OutOfRangeError if the number of pairs is not at least 2
 */
export function withArrayObjective(data: DataSet, objective: Objective | undefined, pairs?: number): DataSet {
  if (objective?.kind === "paired")
    return data.features === undefined
      ? data
      : pairedExamples(data, { pairs: pairs ?? PAIRS, asks: objective.asks ?? "best" });
  if (pairs !== undefined) {
    throw new InputError(
      `Cannot use data set "${data.name}" as "pairs" must be given for a network of images and texts alone: leave it out`,
      { input: data.name },
    );
  }
  return objective?.kind === "continued" ? writtenTokens(data, objective) : data;
}

/** Number of pairs of an example, and the question about them. */
interface Pairing {
  readonly pairs: number;
  readonly asks: "best" | "each";
}

function pairedExamples(data: DataSet, pairing: Pairing): DataSet {
  const { pairs, asks } = pairing;
  const { name } = data;
  if (!(Number.isSafeInteger(pairs) && pairs >= 2))
    throw new OutOfRangeError(`Cannot use data set "${name}" as "pairs" must be at least 2: it is ${pairs}`);
  const size = Math.floor(data.size / pairs);
  if (size === 0) {
    throw new InputError(
      `Cannot use data set "${name}" as there must be ${pairs} pairs of an image and a text for an example: there are ${data.size}; give more, or fewer for an example by ,pairs=${data.size} behind the file`,
      { input: name },
    );
  }
  const { gatherInto: _, targets: __, ...others } = data;
  const grouped = ({ dtype, shape, data: values }: Tensor, examples: number): Tensor => ({
    dtype,
    shape: [examples, pairs, ...shape.slice(1)],
    data: values,
  });
  const infos = [...(data.features ?? [])].map(([key, { dtype, shape }]): [string, TensorInfo] => [
    key,
    { dtype, shape: [pairs, ...shape] },
  ]);
  return Object.freeze({
    ...others,
    size,
    exampleShape: Object.freeze([pairs, ...data.exampleShape]),
    features: new Map([
      ...infos,
      [LABELS, asks === "best" ? { dtype: "i32", shape: [pairs] } : { dtype: "f32", shape: [pairs, pairs] }],
    ] satisfies [string, TensorInfo][]),
    labelling: "none" as const,
    unlabelled: "its pairs belong together",
    classes: 0,
    notes: [...(data.notes ?? []), noteOf(data.size, pairs)],
    read(begin: number, end: number): Batch {
      assertReads({ name, size }, begin, end);
      const examples = end - begin;
      const { inputs, features = new Map<string, Tensor>() } = data.read(begin * pairs, end * pairs);
      return {
        inputs: grouped(inputs, examples),
        features: new Map([
          ...[...features].map(([key, value]): [string, Tensor] => [key, grouped(value, examples)]),
          [LABELS, pairLabels(examples, pairing)],
        ]),
        labels: new Int32Array(0),
      };
    },
  });
}

/** Describes the examples of pairs in a sentence. */
function noteOf(size: number, pairs: number): string {
  const left = size % pairs;
  const rest = left === 0 ? "" : `; the last ${left} are left out, as they fill no example`;
  return `An example is ${pairs} pairs of an image and a text that follow each other, and the loss tells which belong together${rest}.`;
}

/** Returns the place of the partner of each, or a one for each two that belong together. */
function pairLabels(examples: number, { pairs, asks }: Pairing): Tensor {
  const places = Int32Array.from({ length: examples * pairs }, (_, i) => i % pairs);
  if (asks === "best") return createTensor("i32", [examples, pairs], places);
  const ones = new Float32Array(examples * pairs * pairs);
  places.forEach((place, row) => {
    ones[row * pairs + place] = 1;
  });
  return createTensor("f32", [examples, pairs, pairs], ones);
}

/** Number of examples whose labels are read at once. */
const CHUNK = 16;

/** Makes the labels of data the tokens that a decoder writes, and its input of them. */
function writtenTokens(data: DataSet, objective: TextObjective & { readonly kind: "continued" }): DataSet {
  const { name, size, targets: array, features = new Map<string, TensorInfo>(), labelling } = data;
  const info = array === undefined ? undefined : features.get(array);
  const areLabels = labelling === "position" || labelling === "pixel";
  if (info === undefined ? !areLabels : DTYPES[info.dtype].float || info.shape.length !== 1) return data;
  const labelsOf = ({ labels, features: read }: Batch): Int32Array =>
    array === undefined ? labels : Int32Array.from(entry(read ?? new Map(), array).data, Number);
  const length = labelsOf(data.read(0, 1)).length;
  const hasIds = features.has(DECODER_IDS);
  const { gatherInto: _, targets: __, unlabelled: ___, ...others } = data;
  let largest = 0;
  for (let begin = 0; begin < size; begin += CHUNK)
    largest = labelsOf(data.read(begin, Math.min(size, begin + CHUNK))).reduce(greater, largest);
  const ids = [DECODER_IDS, { dtype: "i64", shape: [length] }] as const;
  return Object.freeze({
    ...others,
    features: new Map([...features].filter(([key]) => key !== array).concat(hasIds ? [] : [[...ids]])),
    labelling: "position" as const,
    classes: Math.max(data.classes, largest + 1),
    read(begin: number, end: number): Batch {
      assertReads({ name, size }, begin, end);
      const batch = data.read(begin, end);
      const labels = labelsOf(batch);
      const read = new Map(batch.features);
      if (!hasIds) read.set(DECODER_IDS, shiftTokens(labels, [end - begin, length], objective));
      return { ...batch, labels, features: read };
    },
  });
}

const greater = (one: number, other: number): number => Math.max(one, other);
