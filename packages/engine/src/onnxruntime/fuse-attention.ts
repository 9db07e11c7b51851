import { at, type Tensor } from "@isthmus/core";
import type { Attribute, Graph, Node } from "@isthmus/graph";
import { float, int } from "@isthmus/graph/ir";
import { type CausalAttention, findCausalAttention } from "./find-attention.ts";
import { makeNode } from "./make-node.ts";

/** Domain of operators that onnxruntime adds to ONNX's own. */
export const CONTRIBUTED_DOMAIN = "com.microsoft";

/** Version of ONNX's operators in which `Shape` can return a part of a shape. */
const PARTIAL_SHAPE = 15;

/** Widths of heads that the fused operator takes are multiples of this number. */
const WIDTH_STEP = 8;

/**
 * Rewrites causal self-attention to one operator of onnxruntime, with the same bits: it never computes what
 * the mask hides. Exponentials of hidden scores, whose results are below the normal numbers, take a processor
 * several times as long as others. Graphs with gradients stay unchanged, as these read the weights of values.
 */
export function fuseAttention(graph: Graph): Graph {
  if ((graph.opsets.get("") ?? 0) < PARTIAL_SHAPE) return graph;
  const attentions = findCausalAttention(graph).filter(({ width }) => width % WIDTH_STEP === 0);
  if (attentions.length === 0) return graph;
  const removed = new Set(attentions.flatMap(({ nodes }) => nodes));
  const byMeans = new Map(attentions.map((attention) => [attention.means, attention]));
  const constants = new Map(graph.constants);
  const nodes = graph.nodes.flatMap((node) => {
    const attention = byMeans.get(at(node.outputs, 0, "output"));
    if (attention !== undefined) return fusedNodes(attention, constants);
    return removed.has(node) ? [] : [node];
  });
  return { ...graph, opsets: new Map([...graph.opsets, [CONTRIBUTED_DOMAIN, 1]]), constants, nodes };
}

function fusedNodes(attention: CausalAttention, constants: Map<string, Tensor>): Node[] {
  const { rows, means, length, heads, width, scale } = attention;
  const value = (part: string) => `${means}:fused:${part}`;
  const constant = (part: string, tensor: Tensor): string => {
    constants.set(value(part), tensor);
    return value(part);
  };
  const wholes = (numbers: readonly number[]): Tensor => ({
    dtype: "i64",
    shape: [numbers.length],
    data: BigInt64Array.from(numbers, BigInt),
  });
  const last: Tensor = { dtype: "i32", shape: [1], data: Int32Array.of(length - 1) };
  const total: Tensor = { dtype: "i32", shape: [1], data: Int32Array.of(length) };
  const node = (
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Node =>
    makeNode(op, op === "GroupQueryAttention" ? CONTRIBUTED_DOMAIN : "", { inputs, output, attributes });
  const texts = constant("texts", wholes([-1, length, 3 * heads * width]));
  const parted = constant("heads", wholes([0, 0, heads, width]));
  return [
    node("Reshape", [rows, texts], value("rows")),
    node("Shape", [value("rows")], value("examples"), { start: int(0), end: int(1) }),
    node("ConstantOfShape", [value("examples")], value("last"), { value: { type: "tensor", value: last } }),
    node(
      "GroupQueryAttention",
      [value("rows"), "", "", "", "", value("last"), constant("total", total)],
      value("means"),
      { num_heads: int(heads), kv_num_heads: int(heads), scale: float(scale) },
    ),
    node("Reshape", [value("means"), parted], means),
  ];
}
