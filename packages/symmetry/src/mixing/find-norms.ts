import { at, type Tensor } from "@isthmus/core";
import type { Graph, Node, Probe } from "@isthmus/graph";
import { intAttribute, intsAttribute } from "@isthmus/graph/ir";
import type { OffsetWeight } from "../linear/offset-weights.ts";

/** A norm along the last axis of a value: one node, or the nodes that an exporter made of it. */
export interface Norm {
  /** Its nodes, in the order of the graph. */
  readonly nodes: readonly Node[];
  /** Name of the value that is normalised. */
  readonly input: string;
  /** Name of the value less its mean, if that is a value of its own. */
  readonly centredInput: string | undefined;
  /** Name of the normalised value before it is multiplied by the gain, if that is a value of its own. */
  readonly plain: string | undefined;
  /** Name of the square of the value that is divided, if that is a value of its own. */
  readonly square: string | undefined;
  /** Name of the weight that the normalised value is multiplied by, alone or with a number added to it. */
  readonly gain: string | undefined;
  /** Name of the weight that is added, if the same node adds it. */
  readonly offset: string | undefined;
  /** Whether the mean is taken away first, as layer norm does and root mean square norm does not. */
  readonly isCentred: boolean;
}

/**
 * Finds the layer norms and root mean square norms of a graph: operators of that name, and the patterns of
 * small operators that exporters write in their place.
 *
 * It finds only norms along the last axis whose gain is a weight that nothing else reads, or that have no
 * gain.
 */
export function findNorms(graph: Graph, probe: Probe, offsets: readonly OffsetWeight[]): Norm[] {
  const search = new Search(graph, probe, offsets);
  return graph.nodes.flatMap((node) => search.normOf(node) ?? []);
}

/** Operators that normalise by themselves. */
const FUSED: ReadonlySet<string> = new Set([
  "LayerNormalization",
  "RMSNormalization",
  "SimplifiedLayerNormalization",
]);

class Search {
  readonly #graph: Graph;
  readonly #probe: Probe;
  readonly #maker = new Map<string, Node>();
  readonly #readers = new Map<string, Node[]>();
  /** Weights that a number is added to, by the sum. */
  readonly #offsets: ReadonlyMap<string, OffsetWeight>;

  constructor(graph: Graph, probe: Probe, offsets: readonly OffsetWeight[]) {
    this.#offsets = new Map(offsets.map((offset) => [offset.sum, offset]));
    this.#graph = graph;
    this.#probe = probe;
    for (const node of graph.nodes) {
      for (const name of node.outputs) this.#maker.set(name, node);
      for (const name of node.inputs) {
        const readers = this.#readers.get(name);
        if (readers === undefined) this.#readers.set(name, [node]);
        else readers.push(node);
      }
    }
  }

  /** Returns the norm that a node computes, or whose root it takes. */
  normOf(node: Node): Norm | undefined {
    if (FUSED.has(node.op)) return this.#fused(node);
    if (node.op === "ReduceL2" || node.op === "LpNormalization") return this.#unitLength(node);
    return node.op === "Sqrt" ? this.#decomposed(node) : undefined;
  }

  #fused(node: Node): Norm | undefined {
    const [input = "", gain, offset] = node.inputs;
    if (!this.#isLast(intAttribute(node, "axis", -1), node)) return undefined;
    if (node.outputs.slice(1).some((name) => (this.#readers.get(name)?.length ?? 0) > 0)) return undefined;
    const isPlain = gain === undefined || this.#isFlat(gain);
    const ofWeight = isPlain ? undefined : this.#gainBehind(gain);
    if (!isPlain && ofWeight === undefined) return undefined;
    return {
      nodes: [node],
      input,
      centredInput: undefined,
      plain: undefined,
      square: undefined,
      gain: ofWeight,
      offset: offset === "" ? undefined : offset,
      isCentred: node.op === "LayerNormalization",
    };
  }

  /** Finds `u / max(|u|, eps)`, as one node or in pieces, with or without a gain. */
  #unitLength(node: Node): Norm | undefined {
    const [input = ""] = node.inputs;
    const isWhole = node.op === "LpNormalization";
    const isEuclidean = isWhole
      ? intAttribute(node, "p", 2) === 2 && this.#isLast(intAttribute(node, "axis", -1), node)
      : intAttribute(node, "keepdims", 1) === 1 && this.#isAlongLast(node);
    const nodes = isWhole ? [node] : this.#dividedByLength(node, input);
    if (!isEuclidean || nodes === undefined) return undefined;
    const plain = resultOf(at(nodes, nodes.length - 1, "node"));
    const scaled = this.#scaling(plain);
    return {
      nodes: scaled === undefined ? nodes : [...nodes, scaled.node],
      input,
      centredInput: undefined,
      plain,
      square: undefined,
      gain: scaled?.gain,
      offset: undefined,
      isCentred: false,
    };
  }

  /** Returns the nodes from the length of a value to its quotient, with bounds and copies of the length. */
  #dividedByLength(length: Node, value: string): readonly Node[] | undefined {
    const nodes = [length];
    for (let last = length; ; ) {
      const [reader, ...others] = this.#readersOf(last);
      if (reader === undefined || others.length > 0) return undefined;
      nodes.push(reader);
      const [first, ...further] = reader.inputs;
      if (reader.op === "Div" && first === value) return nodes;
      const isBounded = ["Max", "Clip", "Add", "Expand"].includes(reader.op);
      if (!isBounded || first !== resultOf(last) || !further.every((name) => this.#isFixed(name)))
        return undefined;
      last = reader;
    }
  }

  /** Checks whether an input is left out or depends on neither the data nor weights. */
  #isFixed(name: string): boolean {
    return name === "" || this.#constant(name) !== undefined;
  }

  #integers(name: string | undefined): number[] | undefined {
    const tensor = this.#constant(name);
    return tensor && Array.from(tensor.data as ArrayLike<number | bigint>, Number);
  }

  /** Finds `u / sqrt(mean(u^2) + eps)`, with or without a gain, where `u` may be less its mean. */
  #decomposed(root: Node): Norm | undefined {
    const shifted = this.#makerOf(root.inputs[0], "Add");
    const mean = shifted && this.#oneOf(shifted, (name) => this.#meanAlongLast(name));
    const square = mean && this.#squareOf(this.#makerOfInput(mean));
    if (shifted === undefined || mean === undefined || square === undefined) return undefined;
    const divided = this.#division(root, square.of);
    if (divided === undefined) return undefined;
    const centring = this.#centring(square.of, [square.node, ...divided]);
    const plain = resultOf(at(divided, divided.length - 1, "node"));
    const scaled = this.#scaling(plain);
    const nodes = [...(centring?.nodes ?? []), square.node, mean, shifted, root, ...divided];
    return {
      nodes: scaled === undefined ? nodes : [...nodes, scaled.node],
      input: centring?.input ?? square.of,
      centredInput: centring === undefined ? undefined : square.of,
      square: square.node.outputs[0],
      plain,
      gain: scaled?.gain,
      offset: undefined,
      isCentred: centring !== undefined,
    };
  }

  /** Returns the nodes that divide a value by a root, directly or by its reciprocal. */
  #division(root: Node, value: string): readonly Node[] | undefined {
    const [reader, ...others] = this.#readersOf(root);
    if (reader === undefined || others.length > 0) return undefined;
    if (reader.op === "Div" && reader.inputs[0] === value) return [reader];
    const isReciprocal =
      reader.op === "Reciprocal" || (reader.op === "Div" && this.#isNumber(reader.inputs[0], 1));
    const [product, ...further] = this.#readersOf(reader);
    if (!isReciprocal || product?.op !== "Mul" || further.length > 0) return undefined;
    return product.inputs.includes(value) ? [reader, product] : undefined;
  }

  /** Returns the nodes that took the mean away from a value that only these readers read. */
  #centring(
    value: string,
    readers: readonly Node[],
  ): { readonly nodes: readonly Node[]; readonly input: string } | undefined {
    const difference = this.#makerOf(value, "Sub");
    const [input = "", mean] = difference?.inputs ?? [];
    const averaged = this.#meanAlongLast(mean);
    if (difference === undefined || averaged?.inputs[0] !== input) return undefined;
    const isInner = this.#readersOf(difference).every((node) => readers.includes(node));
    return isInner ? { nodes: [averaged, difference], input } : undefined;
  }

  /** Returns the node that multiplies a value by a weight, if nothing else reads the value. */
  #scaling(value: string): { readonly node: Node; readonly gain: string } | undefined {
    const [node, ...others] = this.#readers.get(value) ?? [];
    if (node?.op !== "Mul" || others.length > 0) return undefined;
    const gain = this.#gainBehind(node.inputs.find((name) => name !== value));
    return gain === undefined ? undefined : { node, gain };
  }

  #squareOf(node: Node | undefined): { readonly node: Node; readonly of: string } | undefined {
    const [of = "", second] = node?.inputs ?? [];
    const isSquare =
      (node?.op === "Mul" && second === of) || (node?.op === "Pow" && this.#isNumber(second, 2));
    return node !== undefined && isSquare ? { node, of } : undefined;
  }

  /** Returns the node that computes the mean of a value along its last axis. */
  #meanAlongLast(name: string | undefined): Node | undefined {
    const node = this.#makerOf(name, "ReduceMean");
    if (node === undefined) return undefined;
    return this.#isAlongLast(node) ? node : undefined;
  }

  /** Checks whether a node reduces the last axis of its first input, and no other. */
  #isAlongLast(node: Node): boolean {
    const [axis, ...others] = intsAttribute(node, "axes") ?? this.#integers(node.inputs[1]) ?? [];
    return others.length === 0 && this.#isLast(axis, node);
  }

  #isLast(axis: number | undefined, { inputs }: Node): boolean {
    return axis === -1 || axis === this.#rankOf(at(inputs, 0, "input")) - 1;
  }

  #makerOfInput({ inputs }: Node): Node | undefined {
    return this.#maker.get(at(inputs, 0, "input"));
  }

  #oneOf(node: Node, matches: (name: string) => Node | undefined): Node | undefined {
    for (const name of node.inputs) {
      const match = matches(name);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #makerOf(name: string | undefined, op: string): Node | undefined {
    const node = name === undefined ? undefined : this.#maker.get(name);
    return node?.op === op && node.domain === "" ? node : undefined;
  }

  #readersOf({ outputs }: Node): readonly Node[] {
    return outputs.flatMap((name) => this.#readers.get(name) ?? []);
  }

  #rankOf(name: string): number {
    return this.#probe.types.get(name)?.shape.length ?? 0;
  }

  #constant(name: string | undefined): Tensor | undefined {
    return name === undefined
      ? undefined
      : (this.#graph.constants.get(name) ?? this.#probe.constants.get(name));
  }

  #isNumber(name: string | undefined, number: number): boolean {
    const data = this.#constant(name)?.data;
    return data !== undefined && data.length === 1 && Number(data[0]) === number;
  }

  /** Checks whether a value is a constant, all of one number: as a gain it changes nothing for a rotation. */
  #isFlat(name: string): boolean {
    const data = this.#constant(name)?.data;
    return data !== undefined && Array.from(data as ArrayLike<number>).every((value) => value === data[0]);
  }

  /**
   * Returns the weight that is the gain, or that a number is added to; undefined if other nodes read it, too.
   */
  #gainBehind(name: string | undefined): string | undefined {
    if (name === undefined || this.#readers.get(name)?.length !== 1) return undefined;
    const weight = this.#offsets.get(name)?.weight ?? name;
    // One number for all units is not a gain that must be moved: it multiplies all directions alike.
    const [extent = 1, ...others] = this.#graph.weights.get(weight)?.shape ?? [];
    return extent > 1 && others.length === 0 ? weight : undefined;
  }
}

/** Returns the name of the only output of a node. */
function resultOf({ outputs }: Node): string {
  return at(outputs, 0, "output");
}
