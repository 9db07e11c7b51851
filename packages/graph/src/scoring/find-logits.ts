import { InputError, type TensorInfo } from "@isthmus/core";
import { describeValue } from "../ir/describe-value.ts";
import type { Graph, Node, ValueInfo } from "../ir/graph.ts";
import { findChangedProbabilities } from "./changed-probabilities.ts";
import { chooseOutput, type ScoredData } from "./choose-output.ts";
import { findProbabilities, type Probabilities } from "./find-probabilities.ts";

/** Logits of a graph. */
export interface FoundLogits {
  /** The graph, with nodes for the logits after its own if they are no value of it. */
  readonly graph: Graph;
  /** The output or other value that was chosen. */
  readonly output: ValueInfo;
  /** Name of the value that is scored as logits: the output, or what its softmax reads. */
  readonly logits: string;
  /** Operator between the logits and the output; undefined if the output holds logits itself. */
  readonly operator: "Softmax" | undefined;
}

/**
 * Finds the logits of a graph: the output that `chooseOutput` chooses or, if a softmax over the classes makes
 * it, what the softmax reads. The cross-entropy applies the softmax itself, so that of probabilities it would
 * be applied twice.
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @param data - examples with their labels, which decide between several outputs
 * @param types - type of every value, for a softmax whose output is reshaped
 * @throws InputError if the output cannot be scored by the cross-entropy of classes, or none can be chosen
 */
export function findLogits(
  attempt: string,
  graph: Graph,
  {
    data,
    types = graph.types,
  }: { readonly data?: ScoredData; readonly types?: ReadonlyMap<string, TensorInfo> } = {},
): FoundLogits {
  const output = chooseOutput(attempt, graph, data);
  const probabilities = findProbabilities(graph, output, types);
  const fail = (what: string): InputError => notClasses(attempt, graph, { output, what });
  if (output.shape !== undefined && output.shape.length > 1) assertClasses(attempt, graph, output);
  if (probabilities === undefined) {
    const changed = findChangedProbabilities(graph, output.name);
    if (changed !== undefined) {
      const [input] = changed.source.inputs;
      throw fail(
        `is made of probabilities, those of ${changed.source.op} "${changed.source.outputs[0]}", by ${changed.by}; --logits "${input}" scores what ${changed.source.op} reads`,
      );
    }
    return { graph, output, logits: output.name, operator: undefined };
  }
  if (probabilities.operator === "Sigmoid") {
    throw fail(
      `is made by Sigmoid, whose loss is the binary cross-entropy of each class by itself; --logits "${probabilities.input}" scores what it is made of by softmax`,
    );
  }
  if (probabilities.overClasses !== true) {
    throw fail(
      `is made by ${probabilities.operator} over other axes than the classes, the last one; --logits "${probabilities.input}" scores what it is made of`,
    );
  }
  // Softmax changes nothing about logarithms of probabilities.
  if (probabilities.operator === "LogSoftmax") {
    return { graph, output, logits: output.name, operator: undefined };
  }
  return { output, operator: probabilities.operator, ...moveInput(graph, probabilities) };
}

/** Returns whether the logits of a graph can be found only if the types of its values are known. */
export function needsTypes(attempt: string, graph: Graph, data?: ScoredData): boolean {
  const probabilities = findProbabilities(graph, chooseOutput(attempt, graph, data));
  return probabilities !== undefined && probabilities.overClasses === undefined;
}

/** Repeats the nodes behind a softmax on what it reads, so that logits have the shape of the output. */
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
 * @throws InputError if the last axis of its shape has the extent 1
 */
export function assertClasses(attempt: string, graph: Graph, output: ValueInfo): void {
  if (output.shape?.at(-1) !== 1) return;
  throw notClasses(attempt, graph, {
    output,
    what: "has one number for each prediction, as networks that are trained by binary cross-entropy or by squared errors have; give a binary network two logits, 0 and its own",
  });
}

function notClasses(
  attempt: string,
  graph: Graph,
  { output, what }: { readonly output: ValueInfo; readonly what: string },
): InputError {
  return new InputError(
    `Cannot ${attempt} with graph "${graph.name}" as classification alone is measured, by the cross-entropy of softmax: output ${describeValue(output)} ${what}`,
    { input: graph.name },
  );
}
