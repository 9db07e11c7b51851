import { at, createTensor, entry, type Tensor, type TensorInfo } from "@isthmus/core";
import type { Attribute, Graph, Node } from "@isthmus/graph";
import { capturedNames, countUses, int, ints, string } from "@isthmus/graph/ir";
import { makeNode } from "./make-node.ts";

/** Domain of the operators on tensors whose channels lie in blocks, private to onnxruntime's CPU kernels. */
const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** Position of the tensor that a blocked convolution adds to its result, among its inputs. */
const SUM_INPUT = 3;

/**
 * Writes the nodes of a graph whose images are in one of two layouts, or in both: the plain one, and the
 * blocked one, `[batch, channels / block, height, width, block]`, under another name. A value is brought into
 * the other layout when a node first asks for it there.
 *
 * A blocked convolution waits if a sum or a ReLU alone reads its result, as it can compute these, too.
 */
export class BlockedValues {
  /** Constants of the graph and of the written nodes. */
  readonly constants: Map<string, Tensor>;
  /** Channels in a block. */
  readonly block: number;
  readonly #graph: Graph;
  readonly #nodes: Node[] = [];
  readonly #uses: ReadonlyMap<string, number>;
  readonly #readers: ReadonlyMap<string, Node>;
  /** Channels of the values that nodes in blocked layout compute, waiting nodes included. */
  readonly #made = new Map<string, number>();
  /** Values that are there in the layout in which they were not computed. */
  readonly #reordered = new Set<string>();
  /** Blocked convolutions that are not written yet, by their results. */
  readonly #waiting = new Map<string, Node>();
  /** Nodes in plain layout that are written if their results are asked for in plain layout. */
  readonly #delayed = new Map<string, Node>();

  constructor(graph: Graph, block: number) {
    this.#graph = graph;
    this.block = block;
    this.constants = new Map(graph.constants);
    this.#uses = countUses(graph);
    this.#readers = new Map(graph.nodes.flatMap((node) => node.inputs.map((name) => [name, node])));
  }

  /** Returns the type of a value; undefined if it is not known. */
  typeOf(name: string): TensorInfo | undefined {
    return this.#graph.weights.get(name) ?? this.constants.get(name) ?? this.#graph.types?.get(name);
  }

  /** Checks whether a value is computed in blocked layout. */
  isMade(name: string): boolean {
    return this.#made.has(name);
  }

  /** Returns the number of channels of a value that is computed in blocked layout. */
  channelsOf(name: string): number {
    return entry(this.#made, name, "image in blocked layout");
  }

  /** Checks whether a value is there in blocked layout. */
  isBlocked(name: string): boolean {
    return this.isMade(name) || this.#reordered.has(name);
  }

  /** Returns the node that is delayed, or waits, until a value is asked for. */
  delayed(name: string): Node | undefined {
    return this.#delayed.get(name);
  }

  /** Writes a node in plain layout. */
  write(node: Node): void {
    for (const name of [...node.inputs, ...capturedNames(node)]) this.plain(name);
    this.#nodes.push(node);
  }

  /** Writes a node in plain layout when its result is first asked for in plain layout. */
  delay(node: Node): void {
    this.#delayed.set(at(node.outputs, 0, "output"), node);
  }

  /** Writes a node of one output, named after it; its inputs are there. */
  add(
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.#nodes.push(makeNode(op, "", { inputs, output, attributes }));
    return output;
  }

  /** Writes a node of blocked layout; its inputs are there. */
  addBlocked(
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.#nodes.push(makeNode(op, BLOCKED_DOMAIN, { inputs, output, attributes }));
    return output;
  }

  /** Computes an image in blocked layout by an operator that has no regard for the layout. */
  make(
    op: string,
    inputs: readonly string[],
    { name, channels }: BlockedImage,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): void {
    this.#made.set(name, channels);
    this.add(op, inputs, blockedName(name), attributes);
  }

  /** Computes an image by a blocked convolution, now or when it is first asked for. */
  convolve(
    image: BlockedImage,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    const output = blockedName(image.name);
    this.#settle(image, makeNode("Conv", BLOCKED_DOMAIN, { inputs, output, attributes }));
  }

  /** Computes the ReLU of a value by the blocked convolution that waits for it; false if none does. */
  activate(value: string, result: string): boolean {
    const node = this.#take(value);
    if (node === undefined) return false;
    const attributes = new Map([...node.attributes, ["activation", string("Relu")]]);
    this.#made.set(result, this.channelsOf(value));
    this.#nodes.push({ ...node, outputs: [blockedName(result)], attributes });
    return true;
  }

  /** Adds a value to another one by the blocked convolution that waits for it; false if none does. */
  accumulate(value: string, added: string, result: string): boolean {
    if ((this.#waiting.get(value)?.inputs.length ?? SUM_INPUT) > SUM_INPUT) return false;
    const node = this.#take(value);
    if (node === undefined) return false;
    const [input = "", kernel = "", bias = ""] = node.inputs;
    const inputs = [input, kernel, bias, this.blocked(added)];
    const image = { name: result, channels: this.channelsOf(value) };
    this.#settle(image, { ...node, inputs, outputs: [blockedName(result)] });
    return true;
  }

  /** Returns the name of a value in blocked layout, into which it is brought if it is not there yet. */
  blocked(name: string): string {
    const blocked = blockedName(name);
    const node = this.#take(name);
    if (node !== undefined) this.#nodes.push(node);
    if (this.isBlocked(name)) return blocked;
    this.plain(name);
    this.#reordered.add(name);
    return this.addBlocked("ReorderInput", [name], blocked);
  }

  /** Returns the name of a value in plain layout, into which it is brought if it is not there yet. */
  plain(name: string): string {
    const node = this.#delayed.get(name);
    if (node !== undefined) {
      this.#delayed.delete(name);
      this.write(node);
    }
    if (!this.isMade(name) || this.#reordered.has(name)) return name;
    const blocked = this.blocked(name);
    this.#reordered.add(name);
    return this.addBlocked("ReorderOutput", [blocked], name, { channels: int(this.channelsOf(name)) });
  }

  /** Splits the axes of a value that is there, puts them into another order and joins them. */
  rearrange(input: string, output: string, { split, order, whole }: Arrangement): string {
    const [parts, ordered] = [`${output}:parts`, `${output}:ordered`];
    this.reshape(input, parts, split);
    this.add("Transpose", [parts], ordered, { perm: ints(order) });
    return this.reshape(ordered, output, whole);
  }

  /** Writes a reshape of a value that is there. */
  reshape(input: string, output: string, shape: readonly number[]): string {
    const extents = this.constant(
      `${output}:extents`,
      createTensor("i64", [shape.length], BigInt64Array.from(shape, BigInt)),
    );
    return this.add("Reshape", [input, extents], output);
  }

  /** Adds a constant. */
  constant(name: string, tensor: Tensor): string {
    this.constants.set(name, tensor);
    return name;
  }

  /** Brings the given values into plain layout and returns all nodes. */
  finish(names: readonly string[]): Node[] {
    for (const name of names) this.plain(name);
    return this.#nodes;
  }

  #settle({ name, channels }: BlockedImage, node: Node): void {
    this.#made.set(name, channels);
    const reader = this.#uses.get(name) === 1 ? this.#readers.get(name)?.op : undefined;
    const sums = reader === "Add" && node.inputs.length <= SUM_INPUT;
    if (sums || reader === "Relu") this.#waiting.set(name, node);
    else this.#nodes.push(node);
  }

  #take(value: string): Node | undefined {
    const node = this.#waiting.get(value);
    this.#waiting.delete(value);
    return node;
  }
}

/** An image in blocked layout. */
export interface BlockedImage {
  /** Name of the image in plain layout. */
  readonly name: string;
  /** Number of its channels. */
  readonly channels: number;
}

/** A new order of the elements of a value. */
export interface Arrangement {
  /** Shape into which axes are split. */
  readonly split: readonly number[];
  /** Order of the split axes. */
  readonly order: readonly number[];
  /** Shape into which they are joined. */
  readonly whole: readonly number[];
}

/** Names a value in blocked layout. */
const blockedName = (value: string) => `${value}:blocked`;

/** The version of the operators of blocked layout, by their domain. */
export const BLOCKED_OPSET: readonly [domain: string, version: number] = [BLOCKED_DOMAIN, 1];
