import { allocateData, at, DTYPES, sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import { intAttribute } from "../ir/attributes.ts";
import type { Attribute, Graph, Node } from "../ir/graph.ts";
import { valuesRead } from "../ir/values.ts";

/** A product with a weight, and the shapes that it requires. */
interface Product {
  /** Name of the factor that is not a weight. */
  readonly input: string;
  /** Axis of the factor that is summed over; negative axes count from the end. */
  readonly axis: number;
  /** Required extent of that axis. */
  readonly extent: number;
  /** Shape of the zeros that give the result its extent. */
  readonly zeros: readonly number[];
  readonly dtype: Tensor["dtype"];
  /**
   * Shape of a kernel of one input and one output channel that gives the spatial shape; absent for other
   * products.
   */
  readonly kernel: readonly number[] | undefined;
}

/** A graph of cheap nodes that has the same shapes as another graph. */
export interface ShapedGraph {
  /** Graph in which products with weights are zeros of the same shape. */
  readonly graph: Graph;
  /** Types of transposed weights that are left out, as no node reads them any more. */
  readonly transposed: ReadonlyMap<string, TensorInfo>;
  /** Returns whether the shapes of a run fit the products. */
  readonly allows: (types: ReadonlyMap<string, TensorInfo>) => boolean;
}

/**
 * Replaces products with weights, which take most of the time of a run, by zeros of the same shape, and
 * leaves out weights that are then unread. If weights are zero, all values, or at least their shapes, are
 * unchanged.
 */
export function withoutProducts(graph: Graph): ShapedGraph {
  const weights = weightShapes(graph);
  const constants = new Map(graph.constants);
  const products: Product[] = [];
  const first = addConstant(constants, "isthmus.first", {
    dtype: "i64",
    shape: [1],
    data: BigInt64Array.of(0n),
  });
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const product = productOf(node, weights);
    if (product === undefined) return [node];
    products.push(product);
    return cheapNodes(node, product, { constants, first });
  });
  const remaining = withoutUnread(
    nodes,
    weights,
    graph.outputs.map(({ name }) => name),
  );
  const computed = new Set(remaining.flatMap(({ outputs }) => outputs));
  const transposed = new Map(
    [...weights].filter(([name]) => !graph.weights.has(name) && !computed.has(name)),
  );
  const read = new Set(remaining.flatMap(valuesRead));
  const used = new Map([...graph.weights].filter(([name]) => read.has(name)));
  const allows = (types: ReadonlyMap<string, TensorInfo>): boolean =>
    products.every(({ input, axis, extent }) => types.get(input)?.shape.at(axis) === extent);
  return { graph: { ...graph, weights: used, constants, nodes: remaining }, transposed, allows };
}

/** Leaves out nodes that only transpose unread weights. */
function withoutUnread(
  nodes: readonly Node[],
  weights: ReadonlyMap<string, TensorInfo>,
  outputs: readonly string[],
): Node[] {
  const read = new Set([...nodes.flatMap(valuesRead), ...outputs]);
  const isRead = ({ outputs: results }: Node) => results.some((name) => read.has(name) || !weights.has(name));
  const remaining = nodes.filter(isRead);
  return remaining.length === nodes.length ? remaining : withoutUnread(remaining, weights, outputs);
}

/** Lists the types of weights and of transposed weights, by name of the value. */
function weightShapes({ nodes, weights }: Graph): Map<string, TensorInfo> {
  const shapes = new Map<string, TensorInfo>(weights);
  for (const { op, domain, inputs, outputs, attributes } of nodes) {
    const [input = "", output = ""] = [inputs[0], outputs[0]];
    const weight = shapes.get(input);
    if (op !== "Transpose" || domain !== "" || weight === undefined) continue;
    const perm = attributes.get("perm");
    const order =
      perm?.type === "ints" ? perm.value : weight.shape.map((_, i) => weight.shape.length - 1 - i);
    shapes.set(output, { dtype: weight.dtype, shape: order.map((axis) => at(weight.shape, axis, "axis")) });
  }
  return shapes;
}

/** Describes a node that multiplies a value by a weight; undefined for other nodes. */
function productOf(node: Node, weights: ReadonlyMap<string, TensorInfo>): Product | undefined {
  const [input = "", factor = ""] = node.inputs;
  const weight = weights.get(factor);
  if (node.domain !== "" || weight === undefined || weights.has(input) || !DTYPES[weight.dtype].float)
    return undefined;
  const { dtype, shape } = weight;
  const [rows, columns, ...space] = shape;
  if (rows === undefined || columns === undefined) return undefined;
  const isMatrix = space.length === 0;
  const plain = { input, dtype, kernel: undefined };
  if (node.op === "MatMul" && isMatrix) return { ...plain, axis: -1, extent: rows, zeros: [columns] };
  if (node.op === "Gemm" && isMatrix && intAttribute(node, "transA", 0) === 0) {
    const [extent, out] = intAttribute(node, "transB", 0) === 1 ? [columns, rows] : [rows, columns];
    return { ...plain, axis: -1, extent, zeros: [out] };
  }
  if (node.op !== "Conv" || isMatrix) return undefined;
  const extent = columns * intAttribute(node, "group", 1);
  return { input, dtype, axis: 1, extent, zeros: [rows, ...space.map(() => 1)], kernel: [1, 1, ...space] };
}

/**
 * Creates nodes that compute zeros of a product's shape from the first element along the axis summed over.
 */
function cheapNodes(
  node: Node,
  { input, axis, zeros, dtype, kernel }: Product,
  { constants, first }: { readonly constants: Map<string, Tensor>; readonly first: string },
): Node[] {
  const [output = ""] = node.outputs;
  const zero = (part: string, shape: readonly number[]) =>
    addConstant(constants, `isthmus.${part}.${output}`, {
      dtype,
      shape,
      data: allocateData(dtype, sizeOf(shape)),
    });
  const one = (part: string) => `isthmus.${part}.${output}`;
  const along: Attribute = { type: "int", value: axis };
  const make = (
    op: string,
    inputs: readonly string[],
    result: string,
    attributes: Node["attributes"] = new Map(),
  ): Node => ({
    name: `${node.name}.${op}`,
    op,
    domain: "",
    inputs,
    outputs: [result],
    attributes,
  });
  const gathered = make("Gather", [input, first], one("one"), new Map([["axis", along]]));
  if (kernel === undefined) return [gathered, make("Mul", [one("one"), zero("zeros", zeros)], output)];
  const single: Node["attributes"] = new Map([
    ...node.attributes,
    ["group", { type: "int", value: 1 } as const],
  ]);
  const space = make("Conv", [one("one"), zero("kernel", kernel)], one("space"), single);
  return [gathered, space, make("Mul", [one("space"), zero("zeros", zeros)], output)];
}

function addConstant(constants: Map<string, Tensor>, name: string, tensor: Tensor): string {
  constants.set(name, tensor);
  return name;
}
