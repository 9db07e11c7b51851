import { at, sizeOf, type Tensor, toFloat32 } from "@isthmus/core";
import { floatAttribute, intAttribute } from "../ir/attributes.ts";
import { capturedNames } from "../ir/captured-names.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";
import type { FoldedLayer } from "./find-folded-norm.ts";

/** A kernel and a bias of a graph that a batch norm may have been folded into. */
export interface FoldableLayer {
  /** Name of the kernel among the weights of the graph. */
  readonly kernel: string;
  /** Name of the bias among the weights of the graph. */
  readonly bias: string;
  /** Convolution or linear layer that reads both; the last one if several share them. */
  readonly node: Node;
}

/**
 * Lists the layers that exporters fold a batch norm into: convolutions, transposed convolutions and
 * linear layers whose kernel and bias are weights, each pair once. Layers may share both weights, but
 * nothing else may use one of them.
 */
export function foldableLayers(graph: Graph): FoldableLayer[] {
  const layers = new Map<string, FoldableLayer>();
  const elsewhere = new Set(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    for (const name of capturedNames(node)) elsewhere.add(name);
    const [data = "", kernel = "", bias = "", ...others] = node.inputs;
    const rest = isFoldable(node) ? [data, ...others] : node.inputs;
    for (const name of rest) elsewhere.add(name);
    if (!isFoldable(node)) continue;
    const sharing = layers.get(kernel);
    if (sharing !== undefined && sharing.bias !== bias) elsewhere.add(kernel).add(bias);
    layers.set(kernel, { kernel, bias, node });
  }
  const isOwn = (name: string) => graph.weights.has(name) && !elsewhere.has(name);
  return [...layers.values()].filter(({ kernel, bias }) => isOwn(kernel) && isOwn(bias));
}

function isFoldable(node: Node): boolean {
  if (node.domain !== "" || inputName(node, 2) === "") return false;
  if (node.op === "Conv" || node.op === "ConvTranspose") return true;
  const hasUnitFactors = ["alpha", "beta"].every((name) => floatAttribute(node, name, 1) === 1);
  return node.op === "Gemm" && hasUnitFactors && intAttribute(node, "transA", 0) === 0;
}

/** Describes a foldable layer by the values that the graph's file contains. */
export function describeFolded({ node }: FoldableLayer, kernel: Tensor, bias: Tensor): FoldedLayer {
  const carried = (tensor: Tensor) => ({ ...tensor, values: toFloat32(tensor.data, tensor.dtype) });
  return {
    kernel: carried(kernel),
    bias: carried(bias),
    outputs: sizeOf(bias.shape),
    outputOf: outputOf(node, kernel.shape),
  };
}

/** Returns the function from the row-major index of an element of a kernel to its output. */
function outputOf(node: Node, shape: readonly number[]): (place: number) => number {
  const inner = sizeOf(shape.slice(1));
  if (node.op === "Conv") return (place) => Math.floor(place / inner);
  if (node.op === "Gemm") {
    return intAttribute(node, "transB", 0) === 1
      ? (place) => Math.floor(place / inner)
      : (place) => place % inner;
  }
  // A transposed convolution's kernel is [inputs, outputs / groups, ...]; each group of
  // inputs has separate outputs.
  const spatial = sizeOf(shape.slice(2));
  const perGroup = at(shape, 1);
  const inputsPerGroup = at(shape, 0) / intAttribute(node, "group", 1);
  return (place) =>
    Math.floor(place / inner / inputsPerGroup) * perGroup + (Math.floor(place / spatial) % perGroup);
}
