import { at, type DType, entry, type Tensor } from "@isthmus/core";
import { int } from "../ir/attributes.ts";
import type { Attribute, Graph, Node, ValueInfo } from "../ir/graph.ts";
import { pruneNodes } from "../ir/prune-nodes.ts";
import type { Probe } from "../probe/probe-graph.ts";
import { type BatchPlace, isBatchAlone } from "./batch-place.ts";
import { batchInputs, type FollowedBatch } from "./follow-batch.ts";
import type { OperandChange, Placing } from "./rules/place-rule.ts";

/** Largest whole number of types narrower than i64, which stands for the end of slices without an end. */
const LARGEST: Readonly<Partial<Record<DType, number>>> = { i32: 2 ** 31 - 1 };

/**
 * Rewrites a graph that was exported for one batch size to take any: the first extent of inputs
 * becomes symbolic, and so does the batch in outputs. Shapes and other constants that contain the
 * batch are computed from the input.
 *
 * Nothing is proved here: see `freeBatch`.
 */
export function freeGraph(graph: Graph, probe: Probe, batch: number, followed: FollowedBatch): Graph {
  const rewriter = new Rewriter(graph, probe, batch);
  for (const node of graph.nodes) {
    const isConstant = node.outputs.every((name) => name === "" || probe.constants.has(name));
    if (!isConstant) rewriter.add(node, followed.placings.get(node));
  }
  return rewriter.build(followed.places);
}

/** A graph that is rewritten node by node. */
class Rewriter {
  readonly #graph: Graph;
  readonly #probe: Probe;
  readonly #inputs: readonly ValueInfo[];
  readonly #constants: Map<string, Tensor>;
  readonly #nodes: Node[] = [];
  readonly #taken: Set<string>;
  #examples: string | undefined;

  constructor(graph: Graph, probe: Probe, batch: number) {
    this.#graph = graph;
    this.#probe = probe;
    this.#inputs = batchInputs(graph, batch);
    // Shapes and values computed from shapes are constants for the exported batch; the
    // nodes that use them are changed.
    this.#constants = new Map([...graph.constants, ...probe.constants]);
    this.#taken = new Set([
      ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
      ...graph.inputs.map(({ name }) => name),
      ...graph.weights.keys(),
      ...graph.constants.keys(),
    ]);
  }

  /** Adds a node with the changes of its placing. */
  add(node: Node, placing: Placing | undefined): void {
    const inputs = [...node.inputs];
    for (const [input, change] of placing?.changes ?? []) {
      while (inputs.length <= input) inputs.push("");
      // An optional input that the node omits has no name.
      inputs[input] = this.#changed(at(inputs, input, "input"), change);
    }
    const { op = node.op, attributes = [] } = placing ?? {};
    const former = op === node.op ? node.attributes : [];
    this.#nodes.push({ ...node, op, inputs, attributes: new Map([...former, ...attributes]) });
  }

  /** Adds the nodes that change an operand and returns the name of the result. */
  #changed(name: string, change: OperandChange): string {
    const dtype = this.#probe.types.get(name)?.dtype;
    if (change.kind === "numbers") return this.#numbers(change.numbers, { dtype, shape: change.shape });
    if (change.kind === "rows") {
      return this.#emit("Reshape", [name, this.#numbers([-1, ...change.shape])], `${name}/rows`);
    }
    const { shape } = entry(this.#probe.types, name, "value");
    if (change.kind === "tail") {
      const axis = shape.length - 1;
      return this.#slice(name, { begin: 1, end: at(shape, axis, "axis"), axis });
    }
    const single = this.#slice(name, { begin: 0, end: 1, axis: change.axis });
    if (change.kind === "single") return single;
    const ones = (count: number) => this.#numbers(Array<number>(count).fill(1));
    const extents = [ones(change.axis), this.#countExamples(), ones(shape.length - change.axis - 1)];
    const axis = new Map([["axis", int(0)]]);
    const to = this.#emit("Concat", extents, `${name}/shape`, axis);
    return this.#emit("Expand", [single, to], `${name}/spread`);
  }

  #slice(
    name: string,
    { begin, end, axis }: { readonly begin: number; readonly end: number; readonly axis: number },
  ): string {
    const bounds = [begin, end, axis].map((bound) => this.#numbers([bound]));
    return this.#emit("Slice", [name, ...bounds], `${name}/part`);
  }

  /** Returns the name of the number of examples that are fed, i64 `[1]`. */
  #countExamples(): string {
    if (this.#examples === undefined) {
      const input = at(this.#inputs, 0, "input with a batch");
      const shape = this.#emit("Shape", [input.name], "examples/shape");
      this.#examples = this.#emit("Gather", [shape, this.#numbers([0])], "examples");
    }
    return this.#examples;
  }

  #emit(
    op: string,
    inputs: readonly string[],
    name: string,
    attributes: ReadonlyMap<string, Attribute> = new Map(),
  ): string {
    const output = this.#fresh(name);
    this.#nodes.push({ name: output, op, domain: "", inputs, outputs: [output], attributes });
    return output;
  }

  #numbers(
    values: readonly number[],
    {
      dtype = "i64",
      shape = [values.length],
    }: { readonly dtype?: DType | undefined; readonly shape?: readonly number[] | undefined } = {},
  ): string {
    const name = this.#fresh(`numbers/${values.slice(0, 4).join("x")}`);
    const largest = LARGEST[dtype];
    const data =
      largest === undefined
        ? BigInt64Array.from(values, BigInt)
        : Int32Array.from(values, (value) => Math.min(value, largest));
    this.#constants.set(name, { dtype: largest === undefined ? "i64" : "i32", shape, data });
    return name;
  }

  /** Returns an unused name, the base itself if it is free. */
  #fresh(base: string): string {
    let name = base;
    for (let copy = 2; this.#taken.has(name); copy++) name = `${base}#${copy}`;
    this.#taken.add(name);
    return name;
  }

  /** Returns the rewritten graph. */
  build(places: ReadonlyMap<string, BatchPlace>): Graph {
    const { types: _, ...graph } = this.#graph;
    const symbol = this.#symbol();
    const freed = (info: ValueInfo): ValueInfo => {
      const place = places.get(info.name);
      if (place === undefined || info.shape === undefined) return info;
      const times = place.outer * place.inner;
      const extent = isBatchAlone(place) ? symbol : `${times}*${symbol}`;
      return { ...info, shape: info.shape.with(place.axis, extent) };
    };
    return pruneNodes({
      ...graph,
      inputs: graph.inputs.map((info) => (this.#inputs.includes(info) ? freed(info) : info)),
      outputs: graph.outputs.map(freed),
      constants: this.#constants,
      nodes: this.#nodes,
    });
  }

  /** Returns a name for the batch that no other extent has. */
  #symbol(): string {
    const names = new Set([...this.#graph.inputs, ...this.#graph.outputs].flatMap(({ shape = [] }) => shape));
    let symbol = "batch";
    while (names.has(symbol)) symbol += "_";
    return symbol;
  }
}
