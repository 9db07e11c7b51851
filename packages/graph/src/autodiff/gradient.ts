import { DTYPES, formatShape, MismatchError, sizeOf, UnsupportedError } from "@isthmus/core";
import { GraphBuilder } from "../build/graph-builder.ts";
import { sum } from "../build/operators/elementwise.ts";
import { expand } from "../build/operators/layout.ts";
import type { Value } from "../build/value.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { gradientName } from "./gradient-name.ts";
import type { GradientRule } from "./gradient-rule.ts";
import { GRADIENT_RULES } from "./rules/table.ts";

/** Options of {@link gradient}. */
export interface GradientOptions {
  /** A value of the graph with one floating-point element. */
  readonly loss: string;
  /** Weights, inputs or other values. @defaultValue all floating-point weights that are parameters */
  readonly withRespectTo?: readonly string[];
}

/**
 * Differentiates a graph (reverse mode): returns the graph that also computes the gradients of a loss.
 *
 * Its outputs are those of `graph`, the loss if it is not among them, then for each value its gradient, of its shape and
 * named by `gradientName`; zeros where the loss does not depend on it. Gradients are ordinary operators, and the result is
 * typed: it can be differentiated again.
 *
 * @param graph - typed, as `specialize` makes it
 * @throws MismatchError if the graph is not typed, the loss is not a scalar, or a value to differentiate by is unknown or
 *   not floating-point
 * @throws UnsupportedError if an operator on the way has no gradient rule; it names the node
 */
export function gradient(graph: Graph, options: GradientOptions): Graph {
  const builder = GraphBuilder.from(graph);
  const loss = lossOf(graph, builder, options.loss);
  const wanted = wantedValues(graph, builder, options.withRespectTo);
  const cotangents = sweepBack(graph, builder, loss, new Set(wanted.map(({ name }) => name)));
  const gradients = wanted.map((value) => {
    const found = cotangents.take(value.name) ?? expand(builder.scalar(0, value.dtype), value.shape);
    return builder.rename(found, gradientName(loss.name, value.name));
  });
  const own = graph.outputs.map(({ name }) => builder.value(name));
  const withLoss = own.some(({ name }) => name === loss.name) ? own : [...own, loss];
  return builder.build([...withLoss, ...gradients]);
}

function lossOf(graph: Graph, builder: GraphBuilder, name: string): Value {
  const loss = builder.value(name);
  if (sizeOf(loss.shape) === 1 && DTYPES[loss.dtype].float) return loss;
  throw new MismatchError(
    `Cannot differentiate graph "${graph.name}" as the loss must be one floating-point number: "${name}" is ${loss.dtype} ${formatShape(loss.shape)}; reduce it first`,
    { parameters: [name] },
  );
}

function wantedValues(graph: Graph, builder: GraphBuilder, given: readonly string[] | undefined): Value[] {
  const isFloat = (value: Value) => DTYPES[value.dtype].float;
  const values =
    given === undefined
      ? parametersOf(graph)
          .map((name) => builder.value(name))
          .filter(isFloat)
      : given.map((name) => builder.value(name));
  const integer = values.find((value) => !isFloat(value));
  if (integer !== undefined) {
    throw new MismatchError(
      `Cannot differentiate graph "${graph.name}" with respect to "${integer.name}" as it must be floating-point: it is ${integer.dtype}`,
      { parameters: [integer.name] },
    );
  }
  if (values.length > 0) return values;
  throw new MismatchError(
    `Cannot differentiate graph "${graph.name}" as it needs at least one floating-point parameter: it has ${graph.weights.size} weights, none of them one`,
    { parameters: [...graph.weights.keys()] },
  );
}

/**
 * Names of the values a graph is differentiated by.
 * @param given - @defaultValue all floating-point weights that are parameters
 * @throws MismatchError if there is none, or one is unknown or not floating-point
 */
export function differentiableValues(graph: Graph, given?: readonly string[]): string[] {
  return wantedValues(graph, GraphBuilder.from(graph), given).map(({ name }) => name);
}

function parametersOf(graph: Graph): string[] {
  return [...graph.weights].filter(([, { role }]) => role === "parameter").map(([name]) => name);
}

/** Gradients found so far, summed when they are asked for. */
class Cotangents {
  readonly #parts = new Map<string, Value[]>();

  add(name: string, part: Value): void {
    const parts = this.#parts.get(name) ?? [];
    parts.push(part);
    this.#parts.set(name, parts);
  }

  take(name: string): Value | undefined {
    const parts = this.#parts.get(name);
    if (parts === undefined) return undefined;
    const total = sum(parts);
    this.#parts.set(name, [total]);
    return total;
  }
}

function sweepBack(
  graph: Graph,
  builder: GraphBuilder,
  loss: Value,
  wanted: ReadonlySet<string>,
): Cotangents {
  const active = activeValues(graph, builder, wanted);
  const cotangents = new Cotangents();
  const seed = builder.numbers([1], loss.dtype, loss.shape);
  if (active.has(loss.name)) cotangents.add(loss.name, seed);
  for (const node of graph.nodes.toReversed()) {
    const results = node.outputs.map((name) => cotangents.take(name));
    if (results.every((result) => result === undefined)) continue;
    if (!node.inputs.some((name) => active.has(name))) continue;
    const parts = applyRule({ graph, builder, node, active }, results);
    node.inputs.forEach((name, i) => {
      const part = parts[i];
      if (part !== undefined && active.has(name)) cotangents.add(name, part);
    });
  }
  return cotangents;
}

/** Floating-point values that depend on a wanted one in a way that a gradient may pass. */
function activeValues(graph: Graph, builder: GraphBuilder, wanted: ReadonlySet<string>): ReadonlySet<string> {
  const active = new Set(wanted);
  for (const node of graph.nodes) {
    if (!node.inputs.some((name) => active.has(name))) continue;
    for (const name of node.outputs) {
      if (name !== "" && DTYPES[builder.value(name).dtype].float) active.add(name);
    }
  }
  return active;
}

interface RuleTask {
  readonly graph: Graph;
  readonly builder: GraphBuilder;
  readonly node: Node;
  readonly active: ReadonlySet<string>;
}

function applyRule(
  { graph, builder, node, active }: RuleTask,
  cotangents: readonly (Value | undefined)[],
): readonly (Value | undefined)[] {
  const known = (name: string) => (name === "" ? undefined : builder.value(name));
  return ruleOf(
    graph,
    node,
  )({
    node,
    builder,
    inputs: node.inputs.map(known),
    outputs: node.outputs.map(known),
    cotangents,
    needs: (input) => active.has(node.inputs[input] ?? ""),
    constant: (input) => builder.constantOf({ name: node.inputs[input] ?? "" }),
  });
}

function ruleOf(graph: Graph, node: Node): GradientRule {
  const isStandard = node.domain === "" || node.domain === "ai.onnx";
  const rule = isStandard ? GRADIENT_RULES.get(node.op) : undefined;
  if (rule !== undefined) return rule;
  throw new UnsupportedError(
    `Cannot differentiate graph "${graph.name}" as every operator between parameters and loss needs a gradient rule: node "${node.name}" is ${isStandard ? "" : `${node.domain}.`}${node.op}, which has none`,
    { feature: node.op },
  );
}
