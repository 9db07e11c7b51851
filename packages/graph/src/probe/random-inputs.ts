import {
  allocateData,
  convertInto,
  createRandom,
  DTYPES,
  type DType,
  sizeOf,
  type Tensor,
  type TensorData,
} from "@isthmus/core";
import type { Graph, Node, ValueInfo } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";

/** Extent of symbolic dimensions other than the batch. */
const SYMBOLIC_EXTENT = 8;

/** Number of elements that are drawn at once. */
const PIECE = 2 ** 16;

/**
 * Returns the concrete extents of a data input: a symbolic first extent becomes the batch, and so does an
 * extent of the same name on another axis, as in states of a recurrent network; other symbolic extents become
 * small.
 *
 * @param inputs - all data inputs of the graph, whose first extents name the batch
 */
export function inputShape(
  { shape = [] }: ValueInfo,
  inputs: readonly ValueInfo[],
  { batch, extents }: { readonly batch: number; readonly extents: Readonly<Record<string, number>> },
): number[] {
  const batchNames = new Set(inputs.map((input) => input.shape?.[0]));
  return shape.map((extent, axis) => {
    if (typeof extent === "number") return extent;
    const isBatch = axis === 0 || batchNames.has(extent);
    return extents[extent] ?? (isBatch ? batch : SYMBOLIC_EXTENT);
  });
}

/**
 * Makes random data inputs: standard normal numbers for floating-point inputs, else whole numbers that are
 * valid indices into every table in which they are looked up.
 */
export function randomInputs(
  graph: Graph,
  batch: number,
  seed: number,
  extents: Readonly<Record<string, number>> = {},
): Map<string, Tensor> {
  const inputs = new Map<string, Tensor>();
  for (const info of graph.inputs) {
    const dtype = info.dtype ?? "f32";
    const shape = inputShape(info, graph.inputs, { batch, extents });
    const random = createRandom(seed, `input ${info.name}`);
    const bound = DTYPES[dtype].float ? 0 : (tableRows(graph, info.name) ?? TRUTH_VALUES);
    const draw = () => (bound === 0 ? random.normal() : random.integer(bound));
    inputs.set(info.name, { dtype, shape, data: drawData(dtype, sizeOf(shape), draw) });
  }
  return inputs;
}

/** Draws numbers as doubles, a piece at a time, and rounds each to the element type. */
function drawData(dtype: DType, length: number, draw: () => number): TensorData {
  const data = allocateData(dtype, length);
  const piece = new Float64Array(Math.min(length, PIECE));
  for (let begin = 0; begin < length; begin += PIECE) {
    const part = piece.subarray(0, Math.min(PIECE, length - begin));
    for (let i = 0; i < part.length; i++) part[i] = draw();
    convertInto({ dtype: "f64", data: part }, { dtype, data: data.subarray(begin, begin + part.length) });
  }
  return data;
}

/** Number of values of whole-number inputs that index no table: 0 or 1, as in masks. */
const TRUTH_VALUES = 2;

/**
 * Finds the number of rows of the smallest known table that an input of a graph indexes;
 * undefined if it indexes none.
 */
export function tableRows(graph: Graph, name: string): number | undefined {
  const names = new Set([name]);
  const bounds: number[] = [];
  for (const node of graph.nodes) {
    const { op, outputs } = node;
    const [output] = outputs;
    if (output !== undefined && PASSES_ON.has(op) && names.has(inputName(node, 0))) names.add(output);
    if (op === "Gather" && names.has(inputName(node, 1))) bounds.push(...indexedExtent(graph, node));
  }
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

/** Operators that do not change the elements of their first input. */
const PASSES_ON: ReadonlySet<string> = new Set("Identity Cast Reshape Unsqueeze Squeeze Flatten".split(" "));

/** Returns the extent of the axis that a `Gather` indexes, if its table is a weight or a constant. */
function indexedExtent(graph: Graph, node: Node): number[] {
  const axis = node.attributes.get("axis");
  const table = inputName(node, 0);
  const shape = graph.weights.get(table)?.shape ?? graph.constants.get(table)?.shape;
  const extent = shape?.at(axis?.type === "int" ? axis.value : 0);
  return extent === undefined ? [] : [extent];
}
