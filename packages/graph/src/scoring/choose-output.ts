import { DTYPES, InputError } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import { dependentValues } from "../ir/dependent-values.ts";
import { describeValue } from "../ir/describe-value.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";

/** Facts of a data set that decide which output is scored. */
export type ScoredData = Pick<DataSet, "classes" | "exampleShape" | "labelling">;

/**
 * Returns whether an output may hold logits: floats `[examples, classes]` or `[examples, length, classes]`.
 */
export function canBeLogits({ dtype, shape }: ValueInfo): boolean {
  const rank = shape?.length;
  return (dtype === undefined || DTYPES[dtype].float) && (rank === undefined || rank === 2 || rank === 3);
}

/**
 * Chooses the value of a graph that is scored: the one that `scoreOutput` named, or else the output that is
 * computed last.
 *
 * An output that another one is computed from holds features and is left out. Of several others, the rank and
 * the number of classes decide which fits the labels.
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

/** Returns the outputs that fit equally well; one if it is plain which is scored. */
export function fittingOutputs(graph: Graph, data?: ScoredData): readonly ValueInfo[] {
  const candidates = graph.outputs.filter(canBeLogits);
  const last = candidates.length < 2 ? candidates : withoutFeatures(graph, candidates);
  return last.length < 2 || data === undefined ? last : thatFit(last, data);
}

/** Returns the outputs that no other one is computed from. */
function withoutFeatures(graph: Graph, candidates: readonly ValueInfo[]): ValueInfo[] {
  return candidates.filter(({ name }) => {
    const dependent = dependentValues(graph, [name]);
    return !candidates.some((other) => other.name !== name && dependent.has(other.name));
  });
}

/** Returns the outputs of the rank that the labels ask for and of enough classes; all if none is. */
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

function namedValue(attempt: string, graph: Graph, name: string): ValueInfo {
  const output = graph.outputs.find((value) => value.name === name);
  if (output !== undefined) return output;
  if (graph.nodes.some(({ outputs }) => outputs.includes(name))) return { name, ...graph.types?.get(name) };
  throw notInGraph(attempt, graph, name);
}

/**
 * Makes a value of a graph the one that is scored: an output, or any value between.
 *
 * The outputs stay what they are, and so do symmetries: nothing but the choice of what is scored changes.
 * @throws InputError if no node computes a value of that name, or it is an output that cannot be logits
 */
export function scoreOutput(graph: Graph, name: string): Graph {
  const value = namedValue("score", graph, name);
  if (canBeLogits(value)) return { ...graph, scored: name };
  throw new InputError(
    `Cannot score output "${name}" of graph "${graph.name}" as it must be floating-point logits [examples, classes] or [examples, length, classes]: the outputs are ${graph.outputs.map(describeValue).join(", ")}`,
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
