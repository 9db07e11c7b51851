import {
  allocateData,
  createTensor,
  DTYPES,
  type DType,
  formatShape,
  fromFloat64Into,
  MismatchError,
  OutOfRangeError,
  sameShape,
  type Tensor,
  type TensorInfo,
  UnsupportedError,
  UsageError,
} from "@isthmus/core";
import { capturedNames } from "../ir/captured-names.ts";
import type { Attribute, Graph, Node, ValueInfo, WeightInfo, WeightRole } from "../ir/graph.ts";
import { pruneNodes } from "../ir/prune-nodes.ts";
import { typesOf } from "../ir/types-of.ts";

/** A value of a graph under construction: its name, element type and concrete shape. */
export interface Value extends TensorInfo {
  /** Name of the value, unique in the graph. */
  readonly name: string;
  /** Builder of the graph of this value; operators on the value add their nodes there. */
  readonly builder: GraphBuilder;
}

/** An operand: a value, or a number that becomes a scalar constant of the other operand's element type. */
export type Operand = Value | number;

/** Attributes of a node to be emitted, by name. */
export type PlainAttributes = Readonly<Record<string, Attribute>>;

/** Options of {@link GraphBuilder.build}. */
export interface BuildOptions {
  /**
   * Name that makes the first extent of every data input and output symbolic, so that the graph takes any
   * batch; its nodes must not depend on the extent with which they were built. The graph then has no types
   * unless `keepTypes` is set.
   * @defaultValue none
   */
  readonly batchName?: string;
  /**
   * Whether the types for the batch of the builder are kept, for discovering symmetries without a run.
   * @defaultValue false
   */
  readonly keepTypes?: boolean;
}

/** Number of elements up to which constants with equal content are shared. */
const SHARED_CONSTANT = 16;

/**
 * Builds a graph node by node, knowing the element type and shape of every value.
 *
 * Operators are the functions of this folder (`add`, `matMul`, ...): they take values and add a node to
 * the builder that the values belong to. New names are made from the operator and a counter, so that the
 * same calls give the same graph.
 */
export class GraphBuilder {
  /** Name of the graph. */
  readonly name: string;
  /** Versions of operator sets by their domains. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly #inputs: ValueInfo[] = [];
  readonly #weights = new Map<string, WeightInfo>();
  readonly #constants = new Map<string, Tensor>();
  readonly #nodes: Node[] = [];
  readonly #types = new Map<string, TensorInfo>();
  readonly #shared = new Map<string, Value>();
  readonly #counters = new Map<string, number>();
  readonly #nodeNames = new Set<string>();

  /** @param opset - version of ONNX's own operator set, or of several sets by domain */
  constructor(name: string, opset: number | ReadonlyMap<string, number>) {
    this.name = name;
    this.opsets = typeof opset === "number" ? new Map([["", opset]]) : opset;
  }

  /**
   * Starts from a typed graph: its inputs, weights, constants and nodes, under their names.
   * @throws MismatchError if the graph is not typed; `specialize` types it
   */
  static from(graph: Graph): GraphBuilder {
    const builder = GraphBuilder.rewriting(graph);
    for (const node of graph.nodes) builder.adopt(node);
    return builder;
  }

  /**
   * Starts from a typed graph without its nodes, but with all its names: for rewriting it node by node, in
   * order: each node is adopted unchanged or replaced.
   * @throws MismatchError if the graph is not typed; `specialize` types it
   */
  static rewriting(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.name, graph.opsets);
    builder.#inputs.push(...graph.inputs);
    for (const [name, info] of graph.weights) builder.#weights.set(name, info);
    for (const [name, tensor] of graph.constants) builder.#constants.set(name, tensor);
    for (const node of graph.nodes) builder.#nodeNames.add(node.name);
    for (const [name, type] of typesOf(graph)) builder.#types.set(name, type);
    return builder;
  }

  /** Version of ONNX's own operator set; 0 if the graph uses none of it. */
  get opset(): number {
    return this.opsets.get("") ?? 0;
  }

  /** Nodes so far, in order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Returns the value of a name. @throws OutOfRangeError if there is no such value */
  value(name: string): Value {
    const type = this.#types.get(name);
    if (type === undefined) {
      throw new OutOfRangeError(`Cannot use value "${name}" as graph "${this.name}" has none of that name`);
    }
    return { builder: this, name, dtype: type.dtype, shape: type.shape };
  }

  /** Returns the tensor of a constant; undefined for other values. */
  constantOf({ name }: Pick<Value, "name">): Tensor | undefined {
    return this.#constants.get(name);
  }

  /** Adds a data input. @throws OutOfRangeError if the name is taken */
  input(name: string, { dtype, shape }: TensorInfo): Value {
    this.#assertNew(name);
    this.#inputs.push({ name, dtype, shape });
    return this.#declare(name, { dtype, shape });
  }

  /** Adds a weight. @throws OutOfRangeError if the name is taken */
  weight(name: string, { dtype, shape }: TensorInfo, role: WeightRole = "parameter"): Value {
    this.#assertNew(name);
    this.#weights.set(name, { dtype, shape, role });
    return this.#declare(name, { dtype, shape });
  }

  /** Adds a constant; a small existing constant with equal content is reused. */
  constant(tensor: Tensor): Value {
    if (tensor.data.length > SHARED_CONSTANT) return this.#addConstant(tensor);
    const key = `${tensor.dtype}[${tensor.shape}]${tensor.data}`;
    const value = this.#shared.get(key) ?? this.#addConstant(tensor);
    this.#shared.set(key, value);
    return value;
  }

  /** Adds a scalar constant `[]` of an element type. */
  scalar(value: number, dtype: DType = "f32"): Value {
    return this.numbers([value], dtype, []);
  }

  /** Adds a constant of numbers, by default `[numbers.length]`. */
  numbers(numbers: ArrayLike<number>, dtype: DType, shape: readonly number[] = [numbers.length]): Value {
    const data = DTYPES[dtype].float
      ? fromFloat64Into(Float64Array.from(numbers), dtype, allocateData(dtype, numbers.length))
      : integerData(numbers, dtype);
    return this.constant(createTensor(dtype, shape, data));
  }

  /** Adds a constant of 64-bit integers, `[integers.length]`: axes, extents, pads. */
  ints(integers: readonly number[]): Value {
    return this.numbers(integers, "i64");
  }

  /**
   * Adds a node.
   * @param inputs - operands; undefined for optional operands that are left out
   * @param outputs - element type and shape of each output; undefined for optional outputs that are left out
   * @returns the outputs that are not left out, in order
   */
  emit(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly (TensorInfo | undefined)[],
    { attributes = {}, domain = "" }: { attributes?: PlainAttributes; domain?: string } = {},
  ): Value[] {
    const name = this.#fresh(op);
    for (const input of inputs) this.#assertOwn(op, input);
    const outputName = (i: number) => `${name}:${i}`;
    this.#addNode({
      name,
      op,
      domain,
      inputs: inputs.map((input) => input?.name ?? ""),
      outputs: outputs.map((output, i) => (output === undefined ? "" : outputName(i))),
      attributes: new Map(Object.entries(attributes)),
    });
    return outputs.flatMap((output, i) =>
      output === undefined ? [] : [this.#declare(outputName(i), output)],
    );
  }

  /**
   * Adds an unchanged node whose values have known types: a node of the graph with which the builder started.
   */
  adopt(node: Node): void {
    this.#addNode(node);
  }

  /**
   * Gives a value another name by an `Identity`, for outputs that must have a certain name.
   * @throws OutOfRangeError if the name is taken
   */
  rename(value: Value, name: string): Value {
    this.#assertNew(name);
    this.#addNode({
      name: this.#fresh("Identity"),
      op: "Identity",
      domain: "",
      inputs: [value.name],
      outputs: [name],
      attributes: new Map(),
    });
    return this.#declare(name, value);
  }

  /**
   * Adds all nodes of a typed graph once more, as a function of other values.
   *
   * @param graph - with types, of the same operator sets
   * @param bindings - a value for each data input and weight of the graph; other values of the graph are
   *   values of this builder with the same name
   * @returns for every value of the graph its value in this builder
   * @throws MismatchError if a binding has another element type or shape
   * @throws UnsupportedError if the graph has control flow
   */
  inline(graph: Graph, bindings: ReadonlyMap<string, Value>): Map<string, Value> {
    const types = typesOf(graph);
    const values = new Map<string, Value>();
    for (const name of [...graph.inputs.map((input) => input.name), ...graph.weights.keys()]) {
      const value = bindings.get(name) ?? this.value(name);
      assertSameType(graph, name, { expected: types.get(name), actual: value });
      values.set(name, value);
    }
    for (const [name, tensor] of graph.constants) values.set(name, this.constant(tensor));
    for (const node of graph.nodes) this.#inlineNode(node, types, values);
    return values;
  }

  #inlineNode(node: Node, types: ReadonlyMap<string, TensorInfo>, values: Map<string, Value>): void {
    if (capturedNames(node).length > 0) {
      throw new UnsupportedError(
        `Cannot use graph "${this.name}" as a function as it must have no control flow: node "${node.name}" is ${node.op}`,
        { feature: node.op },
      );
    }
    const outputs = node.outputs.map((name) => (name === "" ? undefined : types.get(name)));
    const made = this.emit(
      node.op,
      node.inputs.map((name) => values.get(name)),
      outputs,
      { attributes: Object.fromEntries(node.attributes), domain: node.domain },
    );
    node.outputs
      .filter((name) => name !== "")
      .forEach((name, i) => {
        values.set(name, made[i] as Value);
      });
  }

  /**
   * Returns the graph with some outputs; nodes and constants that no output needs are left out; inputs and
   * weights are kept.
   */
  build(outputs: readonly Value[], { batchName, keepTypes = false }: BuildOptions = {}): Graph {
    const graph: Graph = {
      name: this.name,
      opsets: this.opsets,
      inputs: [...this.#inputs],
      weights: new Map(this.#weights),
      constants: new Map(this.#constants),
      nodes: [...this.#nodes],
      outputs: outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      types: new Map(this.#types),
    };
    const pruned = pruneNodes(graph);
    if (batchName === undefined) return pruned;
    const { types, ...untyped } = pruned;
    const rest = keepTypes && types !== undefined ? { ...untyped, types } : untyped;
    const free = ({ name, dtype, shape = [] }: ValueInfo): ValueInfo => ({
      name,
      ...(dtype === undefined ? {} : { dtype }),
      shape: [batchName, ...shape.slice(1)],
    });
    return { ...rest, inputs: rest.inputs.map(free), outputs: rest.outputs.map(free) };
  }

  #declare(name: string, { dtype, shape }: TensorInfo): Value {
    this.#types.set(name, { dtype, shape });
    return { builder: this, name, dtype, shape };
  }

  #addNode(node: Node): void {
    this.#nodes.push(node);
    this.#nodeNames.add(node.name);
  }

  #addConstant(tensor: Tensor): Value {
    const name = this.#fresh("Constant");
    this.#constants.set(name, tensor);
    return this.#declare(name, tensor);
  }

  /** Returns an unused name for a value and its node. */
  #fresh(op: string): string {
    let count = this.#counters.get(op) ?? 0;
    const isTaken = (name: string) => this.#types.has(name) || this.#nodeNames.has(name);
    while (isTaken(`${op}_${count}`)) count++;
    this.#counters.set(op, count + 1);
    return `${op}_${count}`;
  }

  #assertNew(name: string): void {
    if (!this.#types.has(name)) return;
    throw new OutOfRangeError(
      `Cannot add "${name}" to graph "${this.name}" as names must be unique: it is taken`,
    );
  }

  #assertOwn(op: string, value: Value | undefined): void {
    if (value === undefined || value.builder === this) return;
    throw new UsageError(
      `Cannot apply ${op} in graph "${this.name}" as all operands must belong to it: "${value.name}" is of "${value.builder.name}"`,
    );
  }
}

function integerData(numbers: ArrayLike<number>, dtype: DType): Tensor["data"] {
  if (dtype !== "i64" && dtype !== "u64") return new (DTYPES[dtype].array as Int32ArrayConstructor)(numbers);
  const Wide = DTYPES[dtype].array as BigInt64ArrayConstructor;
  return Wide.from(Array.from(numbers, BigInt));
}

function assertSameType(
  graph: Graph,
  name: string,
  { expected, actual }: { readonly expected: TensorInfo | undefined; readonly actual: TensorInfo },
): void {
  if (expected?.dtype === actual.dtype && sameShape(expected.shape, actual.shape)) return;
  throw new MismatchError(
    `Cannot use graph "${graph.name}" as a function as "${name}" must be ${expected?.dtype ?? "known"} ${formatShape(expected?.shape ?? [])}: got ${actual.dtype} ${formatShape(actual.shape)}`,
    { parameters: [name] },
  );
}
