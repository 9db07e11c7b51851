import { sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import type { Attribute, Graph, Node } from "@isthmus/graph";
import { int, intAttribute, ints, intsAttribute, stringAttribute } from "@isthmus/graph/ir";

/** Domain of the operators on tensors whose channels lie in blocks, private to onnxruntime's CPU kernels. */
const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/**
 * Rewrites convolutions whose kernels are not constants to blocked layout,
 * `[batch, channels / block, height, width, block]`, which onnxruntime itself does only for constant kernels.
 *
 * During training, or if weights are inputs, kernels are computed or fed: a 3x3 convolution of 32 channels is
 * then twice as fast in blocked layout, changes of layout included. Only convolutions over two axes in one
 * group whose channels fill whole blocks are rewritten; if there are fewer input channels than in a block,
 * the input keeps its layout.
 *
 * @param block - number of channels in a block, as returned by `measureBlock`; with 0 the graph is returned
 *   unchanged
 */
export function blockConvolutions(graph: Graph, block: number): Graph {
  const blocked = new Map<Node, readonly [number, number, number, number]>();
  for (const node of graph.nodes) {
    const kernel = block === 0 ? undefined : blockableKernel(graph, node, block);
    if (kernel !== undefined) blocked.set(node, kernel);
  }
  if (blocked.size === 0) return graph;
  const constants = new Map(graph.constants);
  const nodes = graph.nodes.flatMap((node) => {
    const kernel = blocked.get(node);
    return kernel === undefined ? [node] : blockNode(node, { kernel, block, constants });
  });
  return { ...graph, opsets: new Map([...graph.opsets, [BLOCKED_DOMAIN, 1]]), constants, nodes };
}

/**
 * Returns the shape of the kernel, `[out, in, rows, columns]`, if a node can be rewritten; otherwise
 * undefined.
 */
function blockableKernel(
  graph: Graph,
  node: Node,
  block: number,
): readonly [number, number, number, number] | undefined {
  if (node.op !== "Conv" || node.domain !== "" || intAttribute(node, "group", 1) !== 1) return undefined;
  if (stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET") return undefined;
  const [, name = ""] = node.inputs;
  const kernel: TensorInfo | undefined = graph.weights.get(name) ?? graph.types?.get(name);
  if (kernel?.dtype !== "f32" || graph.constants.has(name) || kernel.shape.length !== 4) return undefined;
  const [out = 0, channels = 0, rows = 0, columns = 0] = kernel.shape;
  const isWhole = out % block === 0 && (channels % block === 0 || channels < block);
  return isWhole && sizeOf(kernel.shape) > 0 ? [out, channels, rows, columns] : undefined;
}

interface Blocking {
  readonly kernel: readonly [number, number, number, number];
  readonly block: number;
  /** Constants of the graph; the extents of reshapes are added to them. */
  readonly constants: Map<string, Tensor>;
}

function blockNode(node: Node, { kernel, block, constants }: Blocking): Node[] {
  const [out, channels, rows, columns] = kernel;
  const [input = "", weight = "", bias] = node.inputs;
  const [output = ""] = node.outputs;
  const isDirect = channels < block;
  const value = (part: string) => `${node.name}:blocked:${part}`;
  const extents = (part: string, shape: readonly number[]): string => {
    constants.set(value(part), {
      dtype: "i64",
      shape: [shape.length],
      data: BigInt64Array.from(shape, BigInt),
    });
    return value(part);
  };
  // The layout of kernels is [out / block, in / block, rows, columns, block of in, block of out].
  const split = isDirect
    ? [out / block, block, channels, rows, columns]
    : [out / block, block, channels / block, block, rows, columns];
  const order = isDirect ? [0, 2, 3, 4, 1] : [0, 2, 4, 5, 3, 1];
  const reordered = isDirect ? input : value("input");
  return [
    makeNode("Reshape", [weight, extents("split", split)], value("kernel-split")),
    makeNode("Transpose", [value("kernel-split")], value("kernel-ordered"), { perm: ints(order) }),
    makeNode("Reshape", [value("kernel-ordered"), extents("whole", kernel)], value("kernel")),
    ...(isDirect ? [] : [makeNode(`${BLOCKED_DOMAIN}.ReorderInput`, [input], reordered)]),
    makeNode(
      `${BLOCKED_DOMAIN}.Conv`,
      [reordered, value("kernel"), ...(bias === undefined ? [] : [bias])],
      value("output"),
      {
        kernel_shape: ints([rows, columns]),
        strides: ints(intsAttribute(node, "strides") ?? [1, 1]),
        pads: ints(intsAttribute(node, "pads") ?? [0, 0, 0, 0]),
        dilations: ints(intsAttribute(node, "dilations") ?? [1, 1]),
        group: int(1),
      },
    ),
    makeNode(`${BLOCKED_DOMAIN}.ReorderOutput`, [value("output")], output, { channels: int(out) }),
  ];
}

/**
 * Creates a node that is named after its single output; `op` includes the domain if it is not ONNX's default.
 */
function makeNode(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): Node {
  const dot = op.lastIndexOf(".");
  return {
    name: `${output}:node`,
    op: op.slice(dot + 1),
    domain: dot < 0 ? "" : op.slice(0, dot),
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}
