import { DTYPES, formatShape, MismatchError, sizeOf, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { GraphBuilder, sum, type Value } from "@isthmus/graph/builder";
import { gradientName, shareNodes, valuesRead } from "@isthmus/graph/ir";
import type { GradientRule } from "./gradient-rule.ts";
import { isRecurrent, lowerRecurrence } from "./lower/lower-recurrence.ts";
import { stopRule } from "./rules/stop.ts";
import { GRADIENT_RULES } from "./rules/table.ts";
import { zeros } from "./zeros.ts";

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
 * named by `gradientName`; zeros where the loss does not depend on it. Nodes of the graph stay as they are, but for recurrent layers
 * that a gradient passes, which are written out step by step (see `lowerRecurrence`); gradients are ordinary operators behind
 * them, what several rules compute alike once, and the result is typed: it can be differentiated again. The same graph gives the
 * same bytes.
 *
 * A batch norm in training mode stays one, which engines may not run: `lowerBatchNorm` is for when all is differentiated.
 *
 * @param given - typed, as `specialize` makes it
 * @throws MismatchError if the graph is not typed, the loss is not a scalar, or a value to differentiate by is not
 *   floating-point
 * @throws RangeError if the loss or a value to differentiate by is unknown
 * @throws UnsupportedError if an operator on the way, or control flow, has no gradient rule; it names the node
 */
export function gradient(given: Graph, options: GradientOptions): Graph {
  const graph = writeOutRecurrence(given, options.withRespectTo);
  const builder = GraphBuilder.from(graph);
  const loss = lossOf(graph, builder, options.loss);
  const wanted = wantedValues(graph, builder, options.withRespectTo);
  const cotangents = sweepBack(graph, builder, loss, new Set(wanted.map(({ name }) => name)));
  const gradients = wanted.map((value) => {
    const found = cotangents.take(value.name) ?? zeros(value, value.shape);
    return builder.rename(found, gradientName(loss.name, value.name));
  });
  const outputs = graph.outputs.map(({ name }) => builder.value(name));
  const withLoss = outputs.some(({ name }) => name === loss.name) ? outputs : [...outputs, loss];
  const own = new Set(graph.nodes);
  return shareNodes(builder.build([...withLoss, ...gradients]), (node) => own.has(node));
}

/** The graph with the recurrent layers written out that depend on what is differentiated by. */
function writeOutRecurrence(graph: Graph, withRespectTo: readonly string[] | undefined): Graph {
  if (!graph.nodes.some(isRecurrent)) return graph;
  const builder = GraphBuilder.from(graph);
  const wanted = wantedValues(graph, builder, withRespectTo).map(({ name }) => name);
  const active = activeValues(graph, builder, new Set(wanted));
  return lowerRecurrence(graph, (node) => usesActive(node, active));
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
  if (given === undefined) return parametersOf(graph, builder);
  const values = [...new Set(given)].map((name) => builder.value(name));
  const integer = values.find((value) => !DTYPES[value.dtype].float);
  if (integer !== undefined) {
    throw new MismatchError(
      `Cannot differentiate graph "${graph.name}" with respect to "${integer.name}" as it must be floating-point: it is ${integer.dtype}`,
      { parameters: [integer.name] },
    );
  }
  if (values.length > 0) return values;
  throw new MismatchError(
    `Cannot differentiate graph "${graph.name}" as it needs at least one value to differentiate by: got none`,
    { parameters: [] },
  );
}

function parametersOf(graph: Graph, builder: GraphBuilder): Value[] {
  const parameters = [...graph.weights].filter(
    ([, { role, dtype }]) => role === "parameter" && DTYPES[dtype].float,
  );
  if (parameters.length > 0) return parameters.map(([name]) => builder.value(name));
  const found = [...graph.weights].map(([name, { dtype, role }]) => `"${name}" is a ${role} of ${dtype}`);
  throw new MismatchError(
    `Cannot differentiate graph "${graph.name}" as it needs at least one floating-point parameter: ${found.join(", ") || "it has no weights"}`,
    { parameters: [...graph.weights.keys()] },
  );
}

/**
 * Names of the values a graph is differentiated by, each once.
 * @param given - @defaultValue all floating-point weights that are parameters
 * @throws MismatchError if there is none, or one is not floating-point
 * @throws RangeError if one is unknown
 */
export function differentiableValues(graph: Graph, given?: readonly string[]): string[] {
  return wantedValues(graph, GraphBuilder.from(graph), given).map(({ name }) => name);
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
    if (!usesActive(node, active)) continue;
    const results = node.outputs.map((name) => cotangents.take(name));
    if (results.every((result) => result === undefined)) continue;
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
    if (!usesActive(node, active) || findRule(node) === stopRule) continue;
    for (const name of node.outputs) {
      if (name !== "" && DTYPES[builder.value(name).dtype].float) active.add(name);
    }
  }
  return active;
}

/** Whether a node, or a branch or loop body in it, uses an active value. */
function usesActive(node: Node, active: ReadonlySet<string>): boolean {
  return valuesRead(node).some((name) => active.has(name));
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

function findRule({ op, domain }: Node): GradientRule | undefined {
  return domain === "" || domain === "ai.onnx" ? GRADIENT_RULES.get(op) : undefined;
}

function ruleOf(graph: Graph, node: Node): GradientRule {
  const rule = findRule(node);
  if (rule !== undefined) return rule;
  const name = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  const hasBody = [...node.attributes.values()].some(({ type }) => type === "graph");
  throw new UnsupportedError(
    `Cannot differentiate graph "${graph.name}" as every operator between loss and what to differentiate by needs a gradient rule: node "${node.name}" is ${name}, which has none${hasBody ? " as it is control flow" : ""}`,
    { feature: node.op },
  );
}
