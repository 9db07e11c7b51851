import { InputError, type TensorInfo } from "@isthmus/core";
import { describeValue } from "../ir/describe-value.ts";
import type { Graph, Node, ValueInfo } from "../ir/graph.ts";
import { findChangedProbabilities } from "./changed-probabilities.ts";
import { chooseOutput, classAxisOf, formOf, type ScoredData } from "./choose-output.ts";
import type { ElementwiseLossName } from "./elementwise-losses.ts";
import { findProbabilities, type Probabilities } from "./find-probabilities.ts";

/** Logits of a graph. */
export interface FoundLogits {
  /** The graph, with added nodes for the logits if they are not among its values. */
  readonly graph: Graph;
  /** The chosen output or other value. */
  readonly output: ValueInfo;
  /**
   * Name of the value that is scored as logits: the output, or the input of its softmax or sigmoid; for a
   * loss of numbers, the output.
   */
  readonly logits: string;
  /** Operator between the logits and the output; undefined if the output holds logits itself. */
  readonly operator: "Softmax" | "Sigmoid" | undefined;
}

/** Options that decide about the logits of a graph. */
export interface FindLogitsOptions {
  /** Examples with their labels, which decide between several outputs. */
  readonly data?: ScoredData;
  /** Type of every value, for a softmax whose output is reshaped. */
  readonly types?: ReadonlyMap<string, TensorInfo>;
  /** Axis of the output that holds the classes, -1 for the last. @defaultValue chosen by the data */
  readonly classAxis?: number;
}

/**
 * Finds the logits of a graph: the output that `chooseOutput` chooses or, if a softmax over the classes
 * computes it, the input of the softmax. The cross-entropy applies the softmax itself, so that it would be
 * applied twice to probabilities.
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @throws InputError if the output cannot be scored by the cross-entropy of classes, or none can be chosen
 */
export function findLogits(attempt: string, graph: Graph, options: FindLogitsOptions = {}): FoundLogits {
  const { data, types = graph.types } = options;
  const output = chooseOutput(attempt, graph, data);
  const { classAxis = axisOf(graph, output, data) } = options;
  const probabilities = findProbabilities(graph, output, { ...(types && { types }), classAxis });
  const fail = (what: string): InputError => notClasses(attempt, graph, { output, what });
  if (output.shape !== undefined && output.shape.length > 1) assertClasses(attempt, graph, output, classAxis);
  if (probabilities === undefined) {
    assertUnchanged(graph, output, fail);
    return { graph, output, logits: output.name, operator: undefined };
  }
  if (probabilities.operator === "Sigmoid") {
    throw fail(
      `is made by Sigmoid, whose loss is the binary cross-entropy of each class by itself; --loss binary-cross-entropy scores it, --logits "${probabilities.input}" scores what it is made of by softmax`,
    );
  }
  if (probabilities.overClasses !== true) {
    const which = classAxis === -1 ? "the last one" : `number ${classAxis} from 0`;
    throw fail(
      `is made by ${probabilities.operator} over other axes than the classes, ${which}; --logits "${probabilities.input}" scores what it is made of`,
    );
  }
  // Softmax does not change logarithms of probabilities.
  if (probabilities.operator === "LogSoftmax") {
    return { graph, output, logits: output.name, operator: undefined };
  }
  return { output, operator: probabilities.operator, ...moveInput(graph, probabilities) };
}

/**
 * Finds the numbers of a graph that are compared with targets: the output that `chooseOutput` chooses or, for
 * the binary cross-entropy of an output that a sigmoid computes, the input of the sigmoid.
 * @throws InputError if the loss is the binary cross-entropy, and the output contains probabilities that no
 *   sigmoid computed
 */
export function findNumbers(
  attempt: string,
  graph: Graph,
  { data, loss }: { readonly data?: ScoredData; readonly loss: ElementwiseLossName },
): FoundLogits {
  const output = chooseOutput(attempt, { ...graph, loss }, data);
  const whole = { graph, output, logits: output.name, operator: undefined };
  if (loss !== "binary-cross-entropy") return whole;
  const fail = (what: string): InputError =>
    new InputError(
      `Cannot ${attempt} with graph "${graph.name}" by the binary cross-entropy as it takes logits, or what a sigmoid makes of them: output ${describeValue(output)} ${what}`,
      { input: graph.name },
    );
  const probabilities = findProbabilities(graph, output);
  if (probabilities === undefined) {
    assertUnchanged(graph, output, fail);
    return whole;
  }
  if (probabilities.operator === "Sigmoid") {
    return { output, operator: "Sigmoid", ...moveInput(graph, probabilities) };
  }
  throw fail(
    `is made by ${probabilities.operator}, whose classes exclude each other; --loss cross-entropy scores it, --logits "${probabilities.input}" scores what it is made of`,
  );
}

/** Refuses an output that is computed from probabilities by arithmetic alone. */
function assertUnchanged(graph: Graph, { name }: ValueInfo, fail: (what: string) => InputError): void {
  const changed = findChangedProbabilities(graph, name);
  if (changed === undefined) return;
  const { source, by } = changed;
  throw fail(
    `is made of probabilities, those of ${source.op} "${source.outputs[0]}", by ${by}; --logits "${source.inputs[0]}" scores what ${source.op} reads`,
  );
}

/** Returns the axis of an output that contains the classes, by the data if there are any. */
function axisOf(graph: Graph, { shape }: ValueInfo, data: ScoredData | undefined): number {
  return data === undefined ? -1 : classAxisOf(formOf(graph, data), shape, data);
}

/** Checks whether the logits of a graph can be found only if the types of its values are known. */
export function needsTypes(attempt: string, graph: Graph, data?: ScoredData): boolean {
  const output = chooseOutput(attempt, graph, data);
  const probabilities = findProbabilities(graph, output, { classAxis: axisOf(graph, output, data) });
  return probabilities !== undefined && probabilities.overClasses === undefined;
}

/** Repeats the nodes after a softmax on its input, so that logits have the shape of the output. */
function moveInput(graph: Graph, { input, moves }: Probabilities): Pick<FoundLogits, "graph" | "logits"> {
  if (moves.length === 0) return { graph, logits: input };
  const taken = new Set(graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]));
  const types = graph.types && new Map(graph.types);
  let logits = input;
  const repeated = moves.map((move): Node => {
    const [former = ""] = move.outputs;
    const name = freshName(`${former}.logits`, taken);
    const [type, source] = [types?.get(former), types?.get(logits)];
    if (type !== undefined && source !== undefined) types?.set(name, { ...type, dtype: source.dtype });
    const node = { ...move, name, inputs: [logits, ...move.inputs.slice(1)], outputs: [name] };
    logits = name;
    return node;
  });
  return { graph: { ...graph, nodes: [...graph.nodes, ...repeated], ...(types && { types }) }, logits };
}

function freshName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freshName(`${name}'`, taken) : name;
}

/**
 * Checks that an output has several numbers for each prediction.
 * @param classAxis - axis of the classes, -1 for the last
 * @throws InputError if that axis has the extent 1
 */
export function assertClasses(attempt: string, graph: Graph, output: ValueInfo, classAxis = -1): void {
  if (output.shape?.at(classAxis) !== 1) return;
  throw notClasses(attempt, graph, {
    output,
    what: "has one number for each prediction; --loss binary-cross-entropy scores it by labels 0 and 1, --loss mean-squared-error by numbers",
  });
}

function notClasses(
  attempt: string,
  graph: Graph,
  { output, what }: { readonly output: ValueInfo; readonly what: string },
): InputError {
  return new InputError(
    `Cannot ${attempt} with graph "${graph.name}" by the cross-entropy of softmax as it takes logits of classes: output ${describeValue(output)} ${what}`,
    { input: graph.name },
  );
}
