import { at, createTensor } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { int, ints, intsAttribute } from "@isthmus/graph/ir";
import type { BlockedValues } from "./blocked-values.ts";

/** Shape of a kernel, `[out, in, rows, columns]`. */
export type KernelShape = readonly [number, number, number, number];

/**
 * Groups into which the examples of a kernel gradient are divided, if each fills whole blocks: threads share
 * the rows of the result, and without groups these are no more than the rows of a kernel.
 */
const GROUPS = 4;

/** Writes a convolution in blocked layout. */
export function writeConvolution(values: BlockedValues, node: Node, kernel: KernelShape): void {
  const [out, channels, rows, columns] = kernel;
  const [input = "", weight = "", ...biases] = node.inputs;
  const [output = ""] = node.outputs;
  const attributes = {
    kernel_shape: ints([rows, columns]),
    strides: ints(intsAttribute(node, "strides") ?? [1, 1]),
    pads: ints(intsAttribute(node, "pads") ?? [0, 0, 0, 0]),
    dilations: ints(intsAttribute(node, "dilations") ?? [1, 1]),
    group: int(1),
  };
  const image = values.delayed(weight);
  if (image !== undefined && channels % values.block === 0) {
    convolveByImage(values, { image, kernel, node, attributes });
    return;
  }
  const name = blockKernel(values, weight, kernel);
  const bias = biases.map((value) => values.plain(value));
  const placed = channels < values.block ? values.plain(input) : values.blocked(input);
  values.convolve({ name: output, channels: out }, [placed, name, ...bias], attributes);
}

/** Checks whether a node exchanges the first two axes of an image, as kernel gradients do. */
export function exchangesExamples(node: Node): boolean {
  return isTranspose(node, [1, 0, 2, 3]);
}

/** Brings a kernel into the layout `[out / block, in / block, rows, columns, block of in, block of out]`. */
function blockKernel(values: BlockedValues, weight: string, whole: KernelShape): string {
  const { block } = values;
  const [out, channels, rows, columns] = whole;
  const isDirect = channels < block;
  return values.rearrange(values.plain(weight), `${weight}:blocked kernel`, {
    split: isDirect
      ? [out / block, block, channels, rows, columns]
      : [out / block, block, channels / block, block, rows, columns],
    order: isDirect ? [0, 2, 3, 4, 1] : [0, 2, 4, 5, 3, 1],
    whole,
  });
}

/** A convolution by an image whose examples and channels are exchanged. */
interface ImageConvolution {
  /** Node that exchanges them. */
  readonly image: Node;
  readonly kernel: KernelShape;
  readonly node: Node;
  readonly attributes: Parameters<BlockedValues["convolve"]>[2];
}

/**
 * Writes a convolution by an image whose examples and channels are exchanged. The kernel is read from the
 * blocked layout of the image, in which whole blocks move instead of numbers.
 */
function convolveByImage(values: BlockedValues, { image, kernel, node, attributes }: ImageConvolution): void {
  const [out, examples, rows, columns] = kernel;
  const [input = "", weight = "", ...biases] = node.inputs;
  const [output = ""] = node.outputs;
  const { block } = values;
  const shape = values.typeOf(output)?.shape;
  const isDivided = examples % (GROUPS * block) === 0 && biases.length === 0 && shape !== undefined;
  const groups = isDivided ? GROUPS : 1;
  const name = values.rearrange(values.blocked(at(image.inputs, 0, "input")), `${weight}:blocked kernel`, {
    split: [groups, examples / groups / block, block, out / block, rows * columns, block],
    order: [0, 3, 1, 4, 2, 5],
    whole: [groups * out, examples / groups, rows, columns],
  });
  const placed = values.blocked(input);
  if (!isDivided) {
    const bias = biases.map((value) => values.plain(value));
    values.convolve({ name: output, channels: out }, [placed, name, ...bias], attributes);
    return;
  }
  const part = (suffix: string) => `${output}:${suffix}`;
  values.addBlocked("Conv", [placed, name], part("parts"), { ...attributes, group: int(groups) });
  values.addBlocked("ReorderOutput", [part("parts")], part("groups"), { channels: int(groups * out) });
  values.reshape(part("groups"), part("rows"), [groups, -1]);
  const ones = createTensor("f32", [1, groups], new Float32Array(groups).fill(1));
  values.add("MatMul", [values.constant(part("ones"), ones), part("rows")], part("sum"));
  values.reshape(part("sum"), output, shape);
}

/** Checks whether a node puts axes into the placed order. */
export function isTranspose(node: Node, order: readonly number[]): boolean {
  return (
    node.op === "Transpose" && node.domain === "" && intsAttribute(node, "perm")?.join() === order.join()
  );
}
