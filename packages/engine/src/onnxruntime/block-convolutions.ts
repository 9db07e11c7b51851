import { sizeOf, type TensorInfo } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { intAttribute, pruneNodes, returnedNames, stringAttribute } from "@isthmus/graph/ir";
import { type KernelShape, writeConvolution } from "./blocked-convolution.ts";
import { writeOperator } from "./blocked-operators.ts";
import { BLOCKED_OPSET, BlockedValues } from "./blocked-values.ts";

/**
 * Rewrites convolutions whose kernels are not constants to blocked layout,
 * `[batch, channels / block, height, width, block]`, which onnxruntime itself does only for constant kernels.
 *
 * During training, or if weights are inputs, kernels are computed or fed: a 3x3 convolution of 32 channels is
 * then twice as fast in blocked layout, changes of layout included. Only convolutions over two axes in one
 * group whose channels fill whole blocks are rewritten; if there are fewer input channels than in a block,
 * the input keeps its layout. Each value is brought into blocked layout once.
 *
 * Norms, sums, products and ReLUs of the results are computed in blocked layout, too, so that images change
 * their layout where they enter and leave a chain of convolutions only.
 *
 * Gradients for kernels are convolutions by images, of images whose channels come last (`kernelGradient` of
 * autodiff). Both are read from the blocked layout of these images: with one block of channels, it has
 * channels last already.
 *
 * @param block - number of channels in a block, as returned by `measureBlock`; with 0 the graph is returned
 *   unchanged
 */
export function blockConvolutions(graph: Graph, block: number): Graph {
  const blocked = new Map<Node, KernelShape>();
  for (const node of graph.nodes) {
    const kernel = block === 0 ? undefined : blockableKernel(graph, node, block);
    if (kernel !== undefined) blocked.set(node, kernel);
  }
  if (blocked.size === 0) return graph;
  const values = new BlockedValues(graph, block);
  for (const node of graph.nodes) {
    const kernel = blocked.get(node);
    if (kernel === undefined) writeOperator(values, node);
    else writeConvolution(values, node, kernel);
  }
  const returned = [...returnedNames(graph), ...(graph.scored === undefined ? [] : [graph.scored])];
  const nodes = values.finish(returned);
  return pruneNodes({
    ...graph,
    opsets: new Map([...graph.opsets, BLOCKED_OPSET]),
    constants: values.constants,
    nodes,
  });
}

/** Returns the shape of the kernel if a node can be rewritten; otherwise undefined. */
function blockableKernel(graph: Graph, node: Node, block: number): KernelShape | undefined {
  if (node.op !== "Conv" || node.domain !== "" || intAttribute(node, "group", 1) !== 1) return undefined;
  if (stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET") return undefined;
  const [, name = ""] = node.inputs;
  const kernel: TensorInfo | undefined = graph.weights.get(name) ?? graph.types?.get(name);
  if (kernel?.dtype !== "f32" || graph.constants.has(name) || kernel.shape.length !== 4) return undefined;
  const [out = 0, channels = 0, rows = 0, columns = 0] = kernel.shape;
  const isWhole = out % block === 0 && (channels % block === 0 || channels < block);
  return isWhole && sizeOf(kernel.shape) > 0 ? [out, channels, rows, columns] : undefined;
}
