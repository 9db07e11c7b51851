import { InputError } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import { describeValue } from "../ir/describe-value.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";
import { chooseOutput, classAxisOf } from "./choose-output.ts";
import { haveSameExtents } from "./find-targets.ts";
import { infoOf, kindOf, LOSSES, type LossKind, type LossName } from "./losses.ts";

/** Loss by which networks of a graph are scored on a data set. */
export interface LossOfData {
  /** Kind of the loss: its name, `function`, or `several`. */
  readonly kind: LossKind;
  /** Unit of the loss; empty for a function and for several outputs. */
  readonly unit: string;
  /** Whether a prediction can be wrong; if not, errors are NaN, which results store as null. */
  readonly hasError: boolean;
}

/**
 * Returns the loss by which networks of a graph are scored on a data set: the loss that `scoreBy` named, else
 * the loss that follows from the labels and the output.
 *
 * Classes are scored by cross-entropy; labels 0 and 1 by binary cross-entropy if there is one number of the
 * output for each, token ids by the next token, and other numbers of the output's shape by their squared
 * distance.
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @throws InputError if no loss follows from them, as for labels of another shape; the message advises what
 *   to name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor } from "@isthmus/core";
 * import { createDataSet } from "@isthmus/data";
 * import { lossOf, scoreBy } from "@isthmus/graph";
 * import { parseNetwork } from "@isthmus/zoo";
 *
 * const points = createTensor("f32", [2, 3], Float32Array.of(0, 1, 2, 3, 4, 5));
 * const data = createDataSet(points, createTensor("f32", [2, 2], Float32Array.of(0.5, 1, 1.5, 2)));
 * const { graph } = parseNetwork("mlp:4", { ...data, classes: 2 });
 * assert.equal(lossOf(graph, data).kind, "mean-squared-error");
 * assert.equal(lossOf(scoreBy(graph, "mean-absolute-error"), data).unit, "units");
 * ```
 */
export function lossOf(graph: Graph, data: DataSet, attempt = "score networks"): LossOfData {
  const kind = graph.loss === undefined ? usualLoss(attempt, graph, data) : kindOf(graph.loss);
  if (kind === "cross-entropy" || kind === "masked-token") assertLabelled(attempt, data);
  const { unit = "", hasError = false } = infoOf(kind) ?? {};
  return { kind, unit, hasError };
}

/**
 * Checks whether networks of a graph predict probabilities of classes for each example of a data set: they
 * are scored by cross-entropy, and labels belong to whole examples.
 */
export function predictsClasses(graph: Graph, data: DataSet): boolean {
  return lossOf(graph, data).kind === "cross-entropy" && (data.labelling ?? "example") === "example";
}

/**
 * Fields of a result that describe the loss by which it was measured, unless that is the usual loss of
 * classes.
 */
export interface LossFields {
  /** Kind of the loss, a `LossKind`; absent for the cross-entropy of classes and of the next token. */
  readonly lossKind?: string;
  /** Unit of the loss; absent if its kind is absent, or if it has no unit. */
  readonly lossUnit?: string;
}

/** Returns the fields by which a result describes its losses; empty for the cross-entropy of classes. */
export function lossFields(graph: Graph, data: DataSet): LossFields {
  return fieldsOfKind(lossOf(graph, data).kind);
}

/** Returns the fields by which a result describes losses of a kind. */
export function fieldsOfKind(kind: LossKind): LossFields {
  if (kind === "cross-entropy" || kind === "next-token") return {};
  const { unit = "" } = infoOf(kind) ?? {};
  return { lossKind: kind, ...(unit !== "" && { lossUnit: unit }) };
}

function usualLoss(attempt: string, graph: Graph, data: DataSet): LossName {
  const { labelling = "example", classes } = data;
  if (labelling === "next") return "next-token";
  if (labelling === "position") return "cross-entropy";
  const output = chooseOutput(attempt, graph, data);
  if (labelling === "none") return lossOfTargets(attempt, output, { graph, data });
  if (classes <= 2 && isOneNumber(output, data)) return "binary-cross-entropy";
  return labelling === "example" && output.shape?.length === 3 ? "next-token" : "cross-entropy";
}

/** Checks whether an output has one number for each label, rather than one for each class. */
function isOneNumber({ shape }: ValueInfo, data: DataSet): boolean {
  if (shape === undefined) return false;
  if (data.labelling !== "pixel") return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  return shape.length === data.exampleShape.length || shape.at(classAxisOf("pixels", shape, data)) === 1;
}

/** Description of the labels of a data set that has none. */
const NO_LABELS = "it has no labels";

function noLabels(attempt: string, name: string, otherwise = ""): InputError {
  return new InputError(
    `Cannot ${attempt} on "${name}" as ${NO_LABELS}: add a class for each example, such as y beside x in an npz file${otherwise}`,
    { input: name },
  );
}

/** Number of examples whose targets are examined to tell labels 0 and 1 from other numbers. */
const LOOKED_AT = 256;

function lossOfTargets(
  attempt: string,
  output: ValueInfo,
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
): LossName {
  const { name, targets, features, unlabelled = NO_LABELS } = data;
  const info = targets === undefined ? undefined : features?.get(targets);
  const { shape } = output;
  if (targets === undefined && unlabelled === NO_LABELS) {
    throw noLabels(
      attempt,
      name,
      ", or name a loss that needs none with --loss, such as mean-squared-error, which takes the input itself",
    );
  }
  if (targets === undefined || info === undefined || !shape || !haveSameExtents(shape.slice(1), info.shape)) {
    throw new InputError(
      `Cannot ${attempt} on "${name}" as labels must be classes, one whole number for each example, position or pixel, or numbers of the shape of the output, ${describeValue(output)} of graph "${graph.name}": ${unlabelled}; --loss names another loss, of which mean-squared-error takes the input itself where there are no such labels; similarity, activations and the statistics of norms need no labels`,
      { input: name },
    );
  }
  const first = data.read(0, Math.min(LOOKED_AT, data.size)).features?.get(targets);
  const isBinary = first?.data.every((value: number | bigint) => Number(value) === 0 || Number(value) === 1);
  return isBinary ? "binary-cross-entropy" : "mean-squared-error";
}

/**
 * Checks that a data set has classes as labels.
 * @throws InputError if the data have no labels, or labels of another kind; the message describes them
 */
export function assertLabelled(attempt: string, { name, labelling, unlabelled = NO_LABELS }: DataSet): void {
  if (labelling !== "none") return;
  if (unlabelled === NO_LABELS) throw noLabels(attempt, name);
  throw new InputError(
    `Cannot ${attempt} on "${name}" as its labels must be classes, one whole number for each example, position or pixel: ${unlabelled}; similarity, activations and the statistics of norms need no labels`,
    { input: name },
  );
}

/**
 * Checks that networks are scored by a loss with a notion of wrong predictions.
 * @throws InputError if the loss has no errors to count
 */
export function assertErrors(attempt: string, graph: Graph, data: DataSet): void {
  const { kind, hasError } = lossOf(graph, data, attempt);
  if (hasError) return;
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" by the loss ${kind} as predictions must be right or wrong: only ${LOSSES.filter(
      (info) => info.hasError,
    )
      .map((info) => info.name)
      .join(", ")} say so`,
    { input: data.name },
  );
}
