import { at, createTensor, type Tensor } from "@isthmus/core";
import type { Attribute, Graph, Node } from "@isthmus/graph";
import { int, ints, intsAttribute } from "@isthmus/graph/ir";

/** Domain of the operators on tensors whose channels lie in blocks, private to onnxruntime's CPU kernels. */
export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** Shape of a kernel, `[out, in, rows, columns]`. */
export type KernelShape = readonly [number, number, number, number];

/**
 * Groups into which the examples of a kernel gradient are divided, if each fills whole blocks: threads share
 * the rows of the result, and without groups these are no more than the rows of a kernel.
 */
const GROUPS = 4;

/** Writes the nodes of a graph in their order, convolutions and what belongs to them in blocked layout. */
export class BlockedNodes {
  /** Constants of the graph, and those that the written nodes need. */
  readonly constants: Map<string, Tensor>;
  readonly #graph: Graph;
  readonly #block: number;
  /** Images whose first two axes are exchanged, by the name of the result. */
  readonly #exchanged: ReadonlyMap<string, string>;
  /** Values that a written node has brought into blocked layout. */
  readonly #reordered = new Set<string>();

  constructor(graph: Graph, block: number) {
    this.#graph = graph;
    this.#block = block;
    this.constants = new Map(graph.constants);
    this.#exchanged = new Map(
      graph.nodes
        .filter((node) => isTranspose(node, [1, 0, 2, 3]))
        .map(({ inputs, outputs }) => [at(outputs, 0, "output"), at(inputs, 0, "input")]),
    );
  }

  /** Writes a convolution. */
  convolution(node: Node, kernel: KernelShape): Node[] {
    const [out, channels, rows, columns] = kernel;
    const [input = "", , ...bias] = node.inputs;
    const [output = ""] = node.outputs;
    const blocked = channels < this.#block ? { nodes: [], name: input } : this.#reorder(input);
    const { nodes, name, groups } = this.#imageKernel(node, kernel) ?? this.#kernel(node, kernel);
    const [result, whole] = [partOf(node, "output"), groups === 1 ? output : partOf(node, "groups")];
    return [
      ...nodes,
      ...blocked.nodes,
      makeNode(`${BLOCKED_DOMAIN}.Conv`, [blocked.name, name, ...bias], result, {
        kernel_shape: ints([rows, columns]),
        strides: ints(intsAttribute(node, "strides") ?? [1, 1]),
        pads: ints(intsAttribute(node, "pads") ?? [0, 0, 0, 0]),
        dilations: ints(intsAttribute(node, "dilations") ?? [1, 1]),
        group: int(groups),
      }),
      makeNode(`${BLOCKED_DOMAIN}.ReorderOutput`, [result], whole, { channels: int(groups * out) }),
      ...(groups === 1 ? [] : this.#sumGroups(node, { whole, groups })),
    ];
  }

  /**
   * Writes a node that is no blocked convolution. If it turns an image to channels last, and the image is in
   * blocked layout too, it is read from there.
   */
  other(node: Node): Node[] {
    const [input = ""] = node.inputs;
    if (!this.#reordered.has(input) || !isTranspose(node, [0, 2, 3, 1])) return [node];
    const [batch = 0, channels = 0, rows = 0, columns = 0] = this.#shapeOf(input) ?? [];
    const [output = ""] = node.outputs;
    const [block, blocked, whole] = [this.#block, blockedName(input), [batch, rows, columns, channels]];
    // One block of channels is in this order already.
    if (channels === block) return [makeNode("Reshape", [blocked, this.#extents(output, whole)], output)];
    return this.#rearrange(node, blocked, {
      split: [batch, channels / block, rows * columns, block],
      order: [0, 2, 1, 3],
      whole,
      output,
    });
  }

  /** Brings a value into blocked layout, unless an earlier node did; its shape stays the same. */
  #reorder(name: string): { readonly nodes: Node[]; readonly name: string } {
    const blocked = blockedName(name);
    if (this.#reordered.has(name)) return { nodes: [], name: blocked };
    this.#reordered.add(name);
    return { nodes: [makeNode(`${BLOCKED_DOMAIN}.ReorderInput`, [name], blocked)], name: blocked };
  }

  /** Writes a kernel as `[out / block, in / block, rows, columns, block of in, block of out]`. */
  #kernel(node: Node, [out, channels, rows, columns]: KernelShape): BlockedKernel {
    const block = this.#block;
    const isDirect = channels < block;
    const name = partOf(node, "kernel");
    const nodes = this.#rearrange(node, at(node.inputs, 1, "input"), {
      split: isDirect
        ? [out / block, block, channels, rows, columns]
        : [out / block, block, channels / block, block, rows, columns],
      order: isDirect ? [0, 2, 3, 4, 1] : [0, 2, 4, 5, 3, 1],
      whole: [out, channels, rows, columns],
      output: name,
    });
    return { nodes, name, groups: 1 };
  }

  /**
   * Writes a kernel that is an image with examples and channels exchanged, from the blocked layout of the
   * image, in which whole blocks move instead of numbers; undefined if the kernel is no such image.
   */
  #imageKernel(node: Node, [out, examples, rows, columns]: KernelShape): BlockedKernel | undefined {
    const image = this.#exchanged.get(at(node.inputs, 1, "input"));
    const block = this.#block;
    if (image === undefined || examples % block !== 0) return undefined;
    const isDivided =
      examples % (GROUPS * block) === 0 && node.inputs.length === 2 && this.#shapeOf(node.outputs[0]);
    const groups = isDivided ? GROUPS : 1;
    const source = this.#reorder(image);
    const name = partOf(node, "kernel");
    const nodes = this.#rearrange(node, source.name, {
      split: [groups, examples / groups / block, block, out / block, rows * columns, block],
      order: [0, 3, 1, 4, 2, 5],
      whole: [groups * out, examples / groups, rows, columns],
      output: name,
    });
    return { nodes: [...source.nodes, ...nodes], name, groups };
  }

  /** Sums the results of groups, `[1, groups out, rows, columns]`. */
  #sumGroups(node: Node, { whole, groups }: { readonly whole: string; readonly groups: number }): Node[] {
    const [output = ""] = node.outputs;
    const shape = this.#shapeOf(output) ?? [];
    const ones = partOf(node, "ones");
    this.constants.set(ones, createTensor("f32", [1, groups], new Float32Array(groups).fill(1)));
    const [split, sum] = [partOf(node, "split"), partOf(node, "sum")];
    return [
      makeNode("Reshape", [whole, this.#extents(split, [groups, -1])], split),
      makeNode("MatMul", [ones, split], sum),
      makeNode("Reshape", [sum, this.#extents(output, shape)], output),
    ];
  }

  /** Splits axes, puts them into another order and joins them. */
  #rearrange(node: Node, input: string, { split, order, whole, output }: Arrangement): Node[] {
    const [parts, ordered] = [partOf(node, "parts"), partOf(node, "ordered")];
    return [
      makeNode("Reshape", [input, this.#extents(parts, split)], parts),
      makeNode("Transpose", [parts], ordered, { perm: ints(order) }),
      makeNode("Reshape", [ordered, this.#extents(output, whole)], output),
    ];
  }

  /** Adds the constant of the extents to which a value is reshaped. */
  #extents(value: string, shape: readonly number[]): string {
    const name = `${value}:extents`;
    this.constants.set(name, createTensor("i64", [shape.length], BigInt64Array.from(shape, BigInt)));
    return name;
  }

  #shapeOf(name = ""): readonly number[] | undefined {
    return this.#graph.types?.get(name)?.shape;
  }
}

/** A kernel in blocked layout. */
interface BlockedKernel {
  readonly nodes: readonly Node[];
  readonly name: string;
  /** Groups of the convolution by it, whose results are summed. */
  readonly groups: number;
}

/** A new order of the elements of a value. */
interface Arrangement {
  /** Shape into which axes are split. */
  readonly split: readonly number[];
  /** Order of the split axes. */
  readonly order: readonly number[];
  /** Shape into which they are joined. */
  readonly whole: readonly number[];
  /** Name of the result. */
  readonly output: string;
}

/** Names a value that is computed for a node. */
const partOf = (node: Node, part: string) => `${node.name}:blocked:${part}`;

/** Names a value in blocked layout. */
const blockedName = (value: string) => `${value}:blocked`;

/** Checks whether a node puts axes into the given order. */
function isTranspose(node: Node, order: readonly number[]): boolean {
  return (
    node.op === "Transpose" && node.domain === "" && intsAttribute(node, "perm")?.join() === order.join()
  );
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
