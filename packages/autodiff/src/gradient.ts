import { at, DTYPES, formatShape, MismatchError, sizeOf, type Tensor, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { GraphBuilder, sum, type Value } from "@isthmus/graph/builder";
import { gradientName, shareNodes, valuesRead } from "@isthmus/graph/ir";
import { createGradientContext, type GradientRule } from "./gradient-rule.ts";
import { isRecurrent, lowerRecurrence } from "./lower/lower-recurrence.ts";
import { GRADIENT_RULES, stopRule } from "./rules/table.ts";
import { zeros } from "./zeros.ts";

/** Options of {@link gradient}. */
export interface GradientOptions {
  /** Name of a value of the graph with one floating-point element. */
  readonly loss: string;
  /**
   * Names of the weights, inputs or other values to differentiate by. @defaultValue all floating-point
   * weights that are parameters
   */
  readonly withRespectTo?: readonly string[];
  /**
   * Whether gradients for kernels of convolutions are convolutions whose channels are the examples. On an
   * engine of the processor they take half the time; on other devices, and if they are differentiated again,
   * many times the time. @defaultValue false
   */
  readonly convolvesExamples?: boolean;
}

/**
 * Differentiates a graph (reverse mode): returns the graph that also computes the gradients of a loss.
 *
 * Its outputs are the outputs of the graph, the loss if it is not among them, then for each value its
 * gradient, of the value's shape and named by `gradientName`; zeros if the loss does not depend on the value.
 *
 * Nodes of the graph are not changed, except recurrent layers that a gradient passes, which are written out
 * step by step (see `lowerRecurrence`). Gradients are ordinary operators behind these nodes; values that
 * several rules compute alike are computed once. The result is typed, so that it can be differentiated again.
 * The same graph gives the same bytes.
 *
 * A batch norm in training mode stays a node that engines may refuse to run: apply `lowerBatchNorm` once
 * everything is differentiated.
 *
 * @param model - typed, as `specialize` makes it
 * @throws MismatchError if the graph is not typed, the loss is not a scalar, or a value to differentiate by
 *   is not floating-point
 * @throws OutOfRangeError if the loss or a value to differentiate by is unknown
 * @throws UnsupportedError if an operator between them, or control flow, has no gradient rule; the message
 *   names the node
 */
export function gradient(model: Graph, options: GradientOptions): Graph {
  const graph = writeOutRecurrence(model, options.withRespectTo);
  const builder = GraphBuilder.from(graph);
  const loss = lossOf(graph, builder, options.loss);
  const variables = variablesOf(graph, builder, options.withRespectTo);
  const { convolvesExamples = false } = options;
  const seeds = new Map([[loss.name, builder.numbers([1], loss.dtype, loss.shape)]]);
  const derivatives = sweepBack({ graph, builder, variables, convolvesExamples }, seeds);
  const gradients = variables.map((variable, i) =>
    builder.rename(at(derivatives, i, "derivative"), gradientName(loss.name, variable.name)),
  );
  const outputs = graph.outputs.map(({ name }) => builder.value(name));
  const withLoss = outputs.some(({ name }) => name === loss.name) ? outputs : [...outputs, loss];
  const forward = new Set(graph.nodes);
  // A second derivative by a copy of a value must find what depends on the copy.
  const read = variables.map(({ name }) => name);
  return shareNodes(builder.build([...withLoss, ...gradients]), (node) => forward.has(node), read);
}

/** Options of {@link pullBack}. */
export interface PullBackOptions {
  /** Names of values of the graph, each with the name of the data input that weighs its elements. */
  readonly cotangents: ReadonlyMap<string, string>;
  /** Names of the values to differentiate by. */
  readonly withRespectTo: readonly string[];
  /** Returns the name of the output that holds the derivative by a value. */
  readonly nameOf: (value: string) => string;
}

/**
 * Returns the graph that computes the gradient of a weighted sum of the elements of some values, the product
 * of their transposed Jacobian and the weights, without computing the sum. The weights of a value are a data
 * input of its type and shape, which is added to the graph's own. Outputs are the gradients alone.
 *
 * @param model - typed, as `specialize` makes it
 * @throws MismatchError, OutOfRangeError and UnsupportedError as {@link gradient} does
 */
export function pullBack(model: Graph, { cotangents, withRespectTo, nameOf }: PullBackOptions): Graph {
  const graph = writeOutRecurrence(model, withRespectTo);
  const builder = GraphBuilder.from(graph);
  const variables = variablesOf(graph, builder, withRespectTo);
  const seeds = new Map(
    [...cotangents].map(([name, input]) => [name, builder.input(input, builder.value(name))]),
  );
  const derivatives = sweepBack({ graph, builder, variables, convolvesExamples: false }, seeds);
  const forward = new Set(graph.nodes);
  const outputs = variables.map(({ name }, i) =>
    builder.rename(at(derivatives, i, "derivative"), nameOf(name)),
  );
  return shareNodes(builder.build(outputs), (node) => forward.has(node));
}

/** Writes out the recurrent layers of a graph that depend on the values it is differentiated by. */
function writeOutRecurrence(graph: Graph, withRespectTo: readonly string[] | undefined): Graph {
  if (!graph.nodes.some(isRecurrent)) return graph;
  const builder = GraphBuilder.from(graph);
  const variables = variablesOf(graph, builder, withRespectTo).map(({ name }) => name);
  const active = activeValues(graph, builder, new Set(variables));
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

/**
 * Returns the values that a graph is differentiated by, each once; its floating-point
 * parameters if `names` is undefined.
 */
function variablesOf(graph: Graph, builder: GraphBuilder, names: readonly string[] | undefined): Value[] {
  if (names === undefined) return parametersOf(graph, builder);
  const values = [...new Set(names)].map((name) => builder.value(name));
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
  const weights = [...graph.weights].map(([name, { dtype, role }]) => `"${name}" is a ${role} of ${dtype}`);
  throw new MismatchError(
    `Cannot differentiate graph "${graph.name}" as it needs at least one floating-point parameter: ${weights.join(", ") || "it has no weights"}`,
    { parameters: [...graph.weights.keys()] },
  );
}

/**
 * Lists the names of the values that a graph is differentiated by, each once.
 * @param names - names of values. @defaultValue all floating-point weights that are parameters
 * @throws MismatchError if there is no such value, or one is not floating-point
 * @throws OutOfRangeError if a name is unknown
 */
export function differentiableValues(graph: Graph, names?: readonly string[]): string[] {
  return variablesOf(graph, GraphBuilder.from(graph), names).map(({ name }) => name);
}

/**
 * Gradients for values as a list of parts, one for each use of the value, which are summed when the gradient
 * is taken.
 */
class Cotangents {
  readonly #parts = new Map<string, Value[]>();

  /** Adds a part of the gradient for a value. */
  add(name: string, part: Value): void {
    const parts = this.#parts.get(name) ?? [];
    parts.push(part);
    this.#parts.set(name, parts);
  }

  /** Returns the gradient for a value; undefined if it has no parts. */
  take(name: string): Value | undefined {
    const parts = this.#parts.get(name);
    if (parts === undefined) return undefined;
    const total = sum(parts);
    this.#parts.set(name, [total]);
    return total;
  }
}

/**
 * Applies the rules of nodes from some values back to the variables.
 * @param seeds - gradients for these values, by their names
 * @returns the gradient for each variable
 */
function sweepBack(
  { variables, ...differentiated }: Omit<Sweep, "active"> & { readonly variables: readonly Value[] },
  seeds: ReadonlyMap<string, Value>,
): Value[] {
  const { graph, builder } = differentiated;
  const active = activeValues(graph, builder, new Set(variables.map(({ name }) => name)));
  const sweep: Sweep = { ...differentiated, active };
  const cotangents = new Cotangents();
  for (const [name, seed] of seeds) if (active.has(name)) cotangents.add(name, seed);
  for (const node of graph.nodes.toReversed()) {
    if (!usesActive(node, active)) continue;
    const results = node.outputs.map((name) => cotangents.take(name));
    if (results.every((result) => result === undefined)) continue;
    const parts = applyRule(sweep, node, results);
    node.inputs.forEach((name, i) => {
      const part = parts[i];
      if (part !== undefined && active.has(name)) cotangents.add(name, part);
    });
  }
  return variables.map((variable) => cotangents.take(variable.name) ?? zeros(variable, variable.shape));
}

/**
 * Lists the variables and the floating-point values that depend on them by operators that a gradient may
 * pass.
 */
function activeValues(
  graph: Graph,
  builder: GraphBuilder,
  variables: ReadonlySet<string>,
): ReadonlySet<string> {
  const active = new Set(variables);
  for (const node of graph.nodes) {
    if (!usesActive(node, active) || findRule(node) === stopRule) continue;
    for (const name of node.outputs) {
      if (name !== "" && DTYPES[builder.value(name).dtype].float) active.add(name);
    }
  }
  return active;
}

/** Checks whether a node, or a branch or loop body in it, uses an active value. */
function usesActive(node: Node, active: ReadonlySet<string>): boolean {
  return valuesRead(node).some((name) => active.has(name));
}

/** A graph that is differentiated, and the builder of its gradients. */
interface Sweep {
  readonly graph: Graph;
  readonly builder: GraphBuilder;
  /** Names of the values that a gradient may reach. */
  readonly active: ReadonlySet<string>;
  readonly convolvesExamples: boolean;
}

function applyRule(
  { graph, builder, active, convolvesExamples }: Sweep,
  node: Node,
  cotangents: readonly (Value | undefined)[],
): readonly (Value | undefined)[] {
  const rule = ruleOf(graph, node);
  const find = (name: string) => (name === "" ? undefined : builder.value(name));
  const inputs = node.inputs.map(find);
  const needs = (input: number): boolean => {
    const name = inputs[input]?.name;
    return name !== undefined && active.has(name);
  };
  const constant = (input: number): Tensor | undefined => {
    const value = inputs[input];
    return value === undefined ? undefined : builder.constantOf(value);
  };
  const outputs = node.outputs.map(find);
  const values = { node, builder, inputs, outputs, cotangents };
  return rule(createGradientContext({ ...values, needs, constant, convolvesExamples }));
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
