import { at, type Tensor, toFloat64 } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { countUses, intAttribute, intsAttribute, wrapAxis } from "@isthmus/graph/ir";

/** Causal self-attention in a graph: nodes that read rows of queries, keys and values side by side. */
export interface CausalAttention {
  /** Name of the rows, `[examples * length, 3 * heads * width]`. */
  readonly rows: string;
  /** Name of the means of values, `[examples, length, heads, width]`. */
  readonly means: string;
  /** Nodes that compute the means from the rows. */
  readonly nodes: readonly Node[];
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of heads. */
  readonly heads: number;
  /** Number of features of a head. */
  readonly width: number;
  /** Factor of the scores. */
  readonly scale: number;
}

/** Summand from which on a score counts nothing beside any other, as `exp` of the difference is 0 in f32. */
const HIDDEN = -1e9;

/** Axes of the scores, of which the last are the tokens that are seen. */
const RANK = 4;

/**
 * Finds causal self-attention as the zoo writes it: rows are split in three, and each part into heads; the
 * softmax of the scaled products of queries and keys, with a causal mask added, weighs the values. Nothing
 * else may read a value on the way.
 */
export function findCausalAttention(graph: Graph): CausalAttention[] {
  const softmaxes = graph.nodes.filter((node) => isOnnx(node, "Softmax"));
  if (softmaxes.length === 0) return [];
  const finder = new AttentionFinder(graph);
  return softmaxes.flatMap((softmax) => finder.around(softmax) ?? []);
}

const isOnnx = ({ op, domain }: Node, name: string): boolean => op === name && domain === "";

/** A part of the rows, split into heads. */
interface Heads {
  readonly split: Node;
  readonly part: number;
  readonly nodes: readonly Node[];
  /** Sizes `[length, heads, width]`. */
  readonly sizes: readonly [number, number, number];
}

/** Scaled products of queries and keys with a mask. */
interface Scores {
  readonly queries: Heads;
  readonly keys: Heads;
  readonly scale: number;
  readonly mask: Tensor;
  readonly nodes: readonly Node[];
}

/** Means of values, by name. */
interface Means {
  readonly values: Heads;
  readonly name: string;
  readonly nodes: readonly Node[];
}

class AttentionFinder {
  readonly #graph: Graph;
  readonly #uses: ReadonlyMap<string, number>;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #readers: ReadonlyMap<string, Node>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#uses = countUses(graph);
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
    this.#readers = new Map(graph.nodes.flatMap((node) => node.inputs.map((name) => [name, node])));
  }

  /** Returns the attention whose weights a softmax computes; undefined if it is another softmax. */
  around(softmax: Node): CausalAttention | undefined {
    const scores = this.#scoresOf(softmax);
    const means = this.#meansOf(softmax);
    if (scores === undefined || means === undefined) return undefined;
    const { queries, keys } = scores;
    const { values } = means;
    const [length, heads, width] = queries.sizes;
    const areParts = [queries, keys, values].every(
      ({ split, part, sizes }, i) =>
        split === queries.split && part === i && sizes.join() === queries.sizes.join(),
    );
    const rows = this.#evenRows(queries.split, heads * width);
    if (!areParts || rows === undefined || !isCausal(scores.mask, length)) return undefined;
    const nodes = [queries.split, ...[queries, keys, values, scores, means].flatMap((part) => part.nodes)];
    return { rows, means: means.name, nodes: [...nodes, softmax], length, heads, width, scale: scores.scale };
  }

  /** Returns what a softmax over tokens reads: scaled products of queries and keys, with a mask added. */
  #scoresOf(softmax: Node): Scores | undefined {
    const isOverTokens = wrapAxis(intAttribute(softmax, "axis", -1), RANK) === RANK - 1;
    const add = this.#only(softmax.inputs[0], "Add");
    const masked = add && this.#withConstant(add);
    const product = masked && this.#only(masked.value, "MatMul");
    if (!isOverTokens || masked === undefined || product === undefined) return undefined;
    const scaled = this.#only(product.inputs[0], "Mul");
    const factor = scaled && this.#withConstant(scaled);
    const queries = this.#heads(factor?.value ?? product.inputs[0], "0,2,1,3");
    const keys = this.#heads(product.inputs[1], "0,2,3,1");
    const scale = factor === undefined ? 1 : oneNumber(factor.constant);
    if (queries === undefined || keys === undefined || !scale) return undefined;
    const nodes = [add, product, scaled].filter((node) => node !== undefined);
    return { queries, keys, scale, mask: masked.constant, nodes };
  }

  /** Returns the means of values by the weights of a softmax, with heads behind tokens. */
  #meansOf(softmax: Node): Means | undefined {
    const mix = this.#readerOf(softmax, "MatMul");
    const joined = mix && this.#readerOf(mix, "Transpose");
    if (mix === undefined || joined === undefined || mix.inputs[0] !== softmax.outputs[0]) return undefined;
    const values = this.#heads(mix.inputs[1], "0,2,1,3");
    if (values === undefined || intsAttribute(joined, "perm")?.join() !== "0,2,1,3") return undefined;
    return { values, name: at(joined.outputs, 0, "output"), nodes: [mix, joined] };
  }

  /** Returns the node of an operator that computes a value for one reader alone. */
  #only(name = "", op: string): Node | undefined {
    const node = this.#producers.get(name);
    return node !== undefined && isOnnx(node, op) && this.#uses.get(name) === 1 ? node : undefined;
  }

  /** Returns the only reader of the only output of a node, if it is of an operator. */
  #readerOf({ outputs }: Node, op: string): Node | undefined {
    const name = at(outputs, 0, "output");
    const node = this.#readers.get(name);
    return node !== undefined && isOnnx(node, op) && this.#uses.get(name) === 1 ? node : undefined;
  }

  /** Returns the operand of a node that is computed, and the other, which is constant. */
  #withConstant({ inputs }: Node): { readonly value: string; readonly constant: Tensor } | undefined {
    const [left = "", right = ""] = inputs;
    const [one, other] = [this.#graph.constants.get(left), this.#graph.constants.get(right)];
    if (other?.dtype === "f32") return { value: left, constant: other };
    return one?.dtype === "f32" ? { value: right, constant: one } : undefined;
  }

  /** Returns a part of the rows of which a value is the heads, in an order of axes. */
  #heads(name: string | undefined, order: string): Heads | undefined {
    const transpose = this.#only(name, "Transpose");
    const reshape = transpose && this.#only(transpose.inputs[0], "Reshape");
    const split = reshape && this.#only(reshape.inputs[0], "Split");
    if (transpose === undefined || reshape === undefined || split === undefined) return undefined;
    if (intsAttribute(transpose, "perm")?.join() !== order) return undefined;
    const [first, length = 0, heads = 0, width = 0, ...others] = this.#numbers(reshape.inputs[1]);
    if (first === undefined || others.length > 0 || Math.min(length, heads, width) <= 0) return undefined;
    const part = split.outputs.indexOf(at(reshape.inputs, 0, "input"));
    return { split, part, nodes: [transpose, reshape], sizes: [length, heads, width] };
  }

  /** Returns the matrix that a node splits into three parts of a width, by columns. */
  #evenRows(split: Node, width: number): string | undefined {
    const [rows = "", sizes] = split.inputs;
    // Results of Gemm are matrices.
    const isMatrix = this.#producers.get(rows)?.op === "Gemm";
    const isEven = this.#numbers(sizes).join() === [width, width, width].join();
    return isMatrix && isEven && intAttribute(split, "axis", 0) === 1 ? rows : undefined;
  }

  #numbers(name = ""): number[] {
    const tensor = this.#graph.constants.get(name);
    return tensor?.dtype === "i64" ? Array.from(tensor.data as BigInt64Array, Number) : [];
  }
}

function oneNumber({ data, dtype }: Tensor): number | undefined {
  return data.length === 1 ? toFloat64(data, dtype)[0] : undefined;
}

/** Checks whether a summand of scores hides all later tokens from each token, and no others. */
function isCausal({ data, dtype }: Tensor, length: number): boolean {
  if (data.length !== length * length) return false;
  return toFloat64(data, dtype).every((value, i) =>
    i % length > Math.floor(i / length) ? value <= HIDDEN : value === 0,
  );
}
