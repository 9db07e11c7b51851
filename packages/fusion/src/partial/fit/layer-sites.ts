import { at, entry } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from "@isthmus/graph/ir";
import type { ProbedGraph } from "../graph/separable-graph.ts";

/** Window of a convolution of two spatial axes. */
export interface Window {
  /** Height and width of the window, in taps. */
  readonly kernel: readonly [number, number];
  /** Rows and columns from one position of the window to the next, `[vertical, horizontal]`. */
  readonly strides: readonly [number, number];
  /** Padding above, left, below, right. */
  readonly pads: readonly [number, number, number, number];
  /** Rows and columns between neighbouring taps, `[vertical, horizontal]`; 1 for a dense window. */
  readonly dilations: readonly [number, number];
}

/** A layer whose weight is fitted by least squares. */
export interface LinearSite {
  /** Tag of layers that are fitted. */
  readonly kind: "linear";
  /** Product or convolution that reads the weight. */
  readonly node: Node;
  /** Name of the value that the layer reads. */
  readonly input: string;
  /** Name of the value that the layer computes. */
  readonly output: string;
  /** Name of the weight, which no other node reads. */
  readonly weight: string;
  /**
   * Bias that is added inside the node, or by the only node that reads its output; undefined if the layer has
   * none.
   */
  readonly bias: string | undefined;
  /** Whether a constant is fitted as well, because there is a bias, or a batch norm removes the mean. */
  readonly intercept: boolean;
  /** Whether the weight is `[outputs, inputs]` instead of `[inputs, outputs]`. */
  readonly outputsFirst: boolean;
  /**
   * Window of a convolution, whose channels are axis 1; undefined for a product, whose channels are the last
   * axis.
   */
  readonly window: Window | undefined;
}

/** A batch norm whose statistics are measured again. */
export interface NormSite {
  /** Tag of batch norms. */
  readonly kind: "norm";
  /** The batch norm. */
  readonly node: Node;
  /** Name of the value that the norm reads, whose statistics are measured. */
  readonly input: string;
  /** Name of the running mean, `[units]`. */
  readonly mean: string;
  /** Name of the running variance, `[units]`. */
  readonly variance: string;
}

export type FitSite = LinearSite | NormSite;

/**
 * Lists, in the order of computation, the layers that can be fitted and the batch norms between them.
 *
 * The following are not fitted: grouped convolutions, convolutions of one or three spatial axes, recurrent
 * layers, weights that several nodes read, and products whose weights pass through other nodes than a
 * transpose.
 */
export function findFitSites(probed: ProbedGraph): FitSite[] {
  const readers = countReaders(probed.graph);
  return probed.graph.nodes.flatMap((node): FitSite[] => {
    if (node.domain !== "" || !probed.data.has(at(node.inputs, 0, "input"))) return [];
    const site = node.op === "BatchNormalization" ? normSite(node) : linearSite(node, probed, readers);
    return site === undefined ? [] : [site];
  });
}

/** Nodes that read each value, by its name. */
type Readers = ReadonlyMap<string, readonly Node[]>;

function countReaders({ nodes }: Graph): Readers {
  const readers = new Map<string, Node[]>();
  for (const node of nodes) {
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  return readers;
}

function normSite(node: Node): NormSite | undefined {
  const [input = "", , , mean = "", variance = ""] = node.inputs;
  return { kind: "norm", node, input, mean, variance };
}

function linearSite(node: Node, probed: ProbedGraph, readers: Readers): LinearSite | undefined {
  const { graph } = probed;
  const [input = "", factor = "", addend = ""] = node.inputs;
  const output = at(node.outputs, 0, "output");
  const source = weightBehind(factor, graph);
  if (source === undefined || (readers.get(source.weight)?.length ?? 0) !== 1) return undefined;
  if ((readers.get(factor)?.length ?? 0) !== 1) return undefined;
  if (entry(graph.weights, source.weight, "weight").dtype !== "f32") return undefined;
  const form = formOf(node, probed, source.transposed);
  if (form === undefined) return undefined;
  const only = onlyReader(output, graph, readers);
  const added = graph.weights.has(addend) ? addend : addedAfter(only, output, probed);
  const bias = added !== undefined && readers.get(added)?.length === 1 ? added : undefined;
  return {
    kind: "linear",
    node,
    input,
    output,
    weight: source.weight,
    bias,
    intercept: bias !== undefined || only?.op === "BatchNormalization",
    ...form,
  };
}

/**
 * Returns the only node that reads a value; undefined if there are several, or the value is an output of the
 * graph.
 */
function onlyReader(value: string, { outputs }: Graph, readers: Readers): Node | undefined {
  const [first, ...more] = readers.get(value) ?? [];
  return more.length === 0 && !outputs.some(({ name }) => name === value) ? first : undefined;
}

/** Finds the weight behind a value: the value itself, or the weight of which it is the transpose. */
function weightBehind(
  name: string,
  graph: Graph,
): { readonly weight: string; readonly transposed: boolean } | undefined {
  if (graph.weights.has(name)) return { weight: name, transposed: false };
  const node = graph.nodes.find(({ outputs }) => outputs.includes(name));
  const [weight = ""] = node?.inputs ?? [];
  const isSwap = node?.op === "Transpose" && (intsAttribute(node, "perm") ?? [1, 0]).join() === "1,0";
  return isSwap && graph.weights.get(weight)?.shape.length === 2 ? { weight, transposed: true } : undefined;
}

/** Returns the form in which a layer reads its weight; undefined if the node cannot be fitted. */
function formOf(
  node: Node,
  { types }: ProbedGraph,
  transposed: boolean,
): Pick<LinearSite, "outputsFirst" | "window"> | undefined {
  const rank = (input: number) => entry(types, at(node.inputs, input, "input"), "value").shape.length;
  switch (node.op) {
    case "MatMul":
      return rank(1) === 2 && rank(0) >= 2 ? { outputsFirst: transposed, window: undefined } : undefined;
    case "Gemm": {
      const isPlain = ["alpha", "beta"].every((name) => floatAttribute(node, name, 1) === 1);
      if (!isPlain || intAttribute(node, "transA", 0) === 1) return undefined;
      return { outputsFirst: (intAttribute(node, "transB", 0) === 1) !== transposed, window: undefined };
    }
    case "Conv": {
      const isPlain = intAttribute(node, "group", 1) === 1 && rank(1) === 4 && !transposed;
      const window = isPlain
        ? windowOf(node, entry(types, at(node.inputs, 1, "input"), "value").shape)
        : undefined;
      return window && { outputsFirst: true, window };
    }
    default:
      return undefined;
  }
}

function windowOf(node: Node, [, , height = 1, width = 1]: readonly number[]): Window | undefined {
  if (stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET") return undefined;
  const [top = 0, left = 0, bottom = 0, right = 0] = intsAttribute(node, "pads") ?? [];
  const [down = 1, across = 1] = intsAttribute(node, "strides") ?? [];
  const [dilatedDown = 1, dilatedAcross = 1] = intsAttribute(node, "dilations") ?? [];
  return {
    kernel: [height, width],
    strides: [down, across],
    pads: [top, left, bottom, right],
    dilations: [dilatedDown, dilatedAcross],
  };
}

/** Returns the bias that the only reader of a product adds to it. */
function addedAfter(reader: Node | undefined, output: string, { graph }: ProbedGraph): string | undefined {
  if (reader?.op !== "Add") return undefined;
  return reader.inputs.find((name) => name !== output && graph.weights.get(name)?.shape.length === 1);
}
