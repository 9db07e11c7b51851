import { DTYPES, InputError, sizeOf } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import { dependentValues } from "../ir/dependent-values.ts";
import { describeValue } from "../ir/describe-value.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";
import { isElementwise } from "./elementwise-losses.ts";

/** Facts about a data set that decide which output is scored. */
export type ScoredData = Pick<DataSet, "classes" | "exampleShape" | "labelling" | "features" | "targets"> &
  Partial<Pick<DataSet, "read">>;

/**
 * Form of a scored output: logits of `classes`, `[examples, classes]` or `[examples, length, classes]`;
 * logits of the classes of `pixels`, `[examples, classes, height, width]`; or `numbers` of any shape, each
 * with its own target.
 */
export type OutputForm = "classes" | "pixels" | "numbers";

/** Returns the form of the output by which networks of a graph are scored. */
export function formOf({ loss }: Pick<Graph, "loss">, data: ScoredData | undefined): OutputForm {
  if (isElementwise(loss)) return "numbers";
  if (data?.labelling === "pixel") return "pixels";
  return data?.labelling === "none" && loss === undefined ? "numbers" : "classes";
}

/**
 * Returns the axis of an output that holds the classes: the last axis, or for pixels the second one unless
 * the extents of the examples and the number of labels show that channels are last.
 */
export function classAxisOf(
  form: OutputForm,
  shape: readonly (number | string)[] | undefined,
  { exampleShape, read }: Pick<ScoredData, "exampleShape"> & Partial<Pick<DataSet, "read">>,
): number {
  if (form !== "pixels") return -1;
  if (shape === undefined) return 1;
  const pixels = read?.(0, 1).labels.length;
  const arePixels = (some: readonly (number | string)[], extents: readonly number[]) =>
    some.length === extents.length &&
    extents.every((extent, axis) => some[axis] === extent) &&
    (pixels === undefined || sizeOf(extents) === pixels);
  if (arePixels(shape.slice(2), exampleShape.slice(1))) return 1;
  return arePixels(shape.slice(1, -1), exampleShape.slice(0, -1)) ? -1 : 1;
}

/** Functions that check the rank of an output of each form. */
const RANKS: Readonly<Record<OutputForm, (rank: number) => boolean>> = {
  classes: (rank) => rank === 2 || rank === 3,
  pixels: (rank) => rank >= 3,
  numbers: (rank) => rank >= 1,
};

/** Checks whether an output can have a form: floats with a rank that fits the form. */
export function canBeScored({ dtype, shape }: ValueInfo, form: OutputForm): boolean {
  const isFloat = dtype === undefined || DTYPES[dtype].float;
  return isFloat && (shape === undefined || RANKS[form](shape.length));
}

/**
 * Chooses the scored value of a graph: the value that `scoreOutput` named, or else the output that is
 * computed last.
 *
 * An output from which another one is computed contains features and is left out. If several others remain,
 * the rank and the number of classes decide which one fits the labels.
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @param data - examples with their labels; without them, the graph alone decides
 * @throws InputError if the named value is not in the graph, or several outputs fit equally well
 */
export function chooseOutput(attempt: string, graph: Graph, data?: ScoredData): ValueInfo {
  if (graph.scored !== undefined) return namedValue(attempt, graph, graph.scored);
  const [only, ...others] = fittingOutputs(graph, data);
  if (others.length > 0 && only !== undefined) {
    throw new InputError(
      `Cannot ${attempt} with graph "${graph.name}" as one output must be scored: ${[only, ...others].map(describeValue).join(" and ")} fit equally; name one by --logits, or by scoreOutput() in a script`,
      { input: graph.name },
    );
  }
  return only ?? graph.outputs[0] ?? { name: "" };
}

/** Returns the outputs that fit equally well; a single one if the choice is clear. */
export function fittingOutputs(graph: Graph, data?: ScoredData): readonly ValueInfo[] {
  const form = formOf(graph, data);
  const candidates = graph.outputs.filter((output) => canBeScored(output, form));
  const last = candidates.length < 2 ? candidates : withoutFeatures(graph, candidates);
  if (last.length < 2 || data === undefined) return last;
  return form === "classes" ? thatFit(last, data) : thatMatch(last, data, form);
}

/** Returns the outputs from which no other output is computed. */
function withoutFeatures(graph: Graph, candidates: readonly ValueInfo[]): ValueInfo[] {
  return candidates.filter(({ name }) => {
    const dependent = dependentValues(graph, [name]);
    return !candidates.some((other) => other.name !== name && dependent.has(other.name));
  });
}

/** Returns the outputs with enough classes and the rank that the labels require; all if there is none. */
function thatFit(outputs: readonly ValueInfo[], data: ScoredData): readonly ValueInfo[] {
  const rank = (data.labelling ?? "example") === "example" ? 2 : 3;
  const orAll = (some: readonly ValueInfo[], all: readonly ValueInfo[]) => (some.length > 0 ? some : all);
  const ranked = orAll(
    outputs.filter(({ shape }) => shape?.length === rank),
    outputs,
  );
  return orAll(
    ranked.filter(({ shape }) => {
      const classes = shape?.at(-1);
      return typeof classes !== "number" || (classes > 1 && classes >= data.classes);
    }),
    ranked,
  );
}

/** Returns the outputs whose extents match the pixels or targets; all if there is none. */
function thatMatch(
  outputs: readonly ValueInfo[],
  { exampleShape, features, targets }: ScoredData,
  form: "pixels" | "numbers",
): readonly ValueInfo[] {
  const target = targets === undefined ? undefined : features?.get(targets)?.shape;
  const expected = form === "pixels" ? exampleShape.slice(1) : (target ?? exampleShape);
  const matching = outputs.filter(({ shape = [] }) => {
    const extents = shape.slice(form === "pixels" ? 2 : 1);
    return extents.length === expected.length && expected.every((extent, axis) => extents[axis] === extent);
  });
  return matching.length > 0 ? matching : outputs;
}

function namedValue(attempt: string, graph: Graph, name: string): ValueInfo {
  const output = graph.outputs.find((value) => value.name === name);
  if (output !== undefined) return output;
  if (graph.nodes.some(({ outputs }) => outputs.includes(name))) return { name, ...graph.types?.get(name) };
  throw notInGraph(attempt, graph, name);
}

/**
 * Selects the scored value of a graph: an output or an intermediate value.
 *
 * Outputs and symmetries are unchanged: only the choice of the scored value changes.
 * @throws InputError if no node computes a value of that name, or it is an output of whole numbers
 */
export function scoreOutput(graph: Graph, name: string): Graph {
  const value = namedValue("score", graph, name);
  if (canBeScored(value, "numbers")) return { ...graph, scored: name };
  throw new InputError(
    `Cannot score output "${name}" of graph "${graph.name}" as it must be floating-point numbers of each example: the outputs are ${graph.outputs.map(describeValue).join(", ")}`,
    { input: name },
  );
}

/** Number of values that a message lists. */
const LISTED = 8;

function notInGraph(attempt: string, graph: Graph, name: string): InputError {
  const inner = graph.nodes.flatMap(({ outputs }) => outputs.filter((value) => value !== "")).slice(-LISTED);
  return new InputError(
    `Cannot ${attempt} "${name}" of graph "${graph.name}" as it must be one of its values: the outputs are ${graph.outputs.map(describeValue).join(", ")}, the last values ${inner.map((value) => `"${value}"`).join(", ")}`,
    { input: name },
  );
}
