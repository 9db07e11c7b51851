import { convertData, createRandom, DTYPES, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph, Node, ValueInfo } from "../ir/graph.ts";

/** Extent given to symbolic dimensions other than the first. */
const SYMBOLIC_EXTENT = 8;

/** Concrete extents of a data input: a symbolic first one is the batch, other symbolic ones are small. */
export function inputShape(
  { shape = [] }: ValueInfo,
  batch: number,
  extents: Readonly<Record<string, number>>,
): number[] {
  return shape.map((extent, axis) => {
    if (typeof extent === "number") return extent;
    return extents[extent] ?? (axis === 0 ? batch : SYMBOLIC_EXTENT);
  });
}

/**
 * Makes random data inputs: standard normal where elements are floating-point, else whole numbers that are valid
 * indices into every table they are used to look up.
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
    const shape = inputShape(info, batch, extents);
    const random = createRandom(seed, `input ${info.name}`);
    const bound = DTYPES[dtype].float ? 0 : (tableRows(graph, info.name) ?? TRUTH_VALUES);
    const values = new Float64Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = bound === 0 ? random.normal() : random.integer(bound);
    const data = convertData(values, "f64", dtype);
    inputs.set(info.name, { dtype, shape, data });
  }
  return inputs;
}

/** Whole numbers that index nothing are 0 or 1, as in masks. */
const TRUTH_VALUES = 2;

/** Finds the number of rows of the smallest table that an input of a graph indexes; undefined where it indexes none that is known. */
export function tableRows(graph: Graph, name: string): number | undefined {
  const names = new Set([name]);
  const bounds: number[] = [];
  for (const node of graph.nodes) {
    const { op, inputs, outputs } = node;
    if (PASSES_ON.has(op) && names.has(inputs[0] ?? "")) names.add(outputs[0] ?? "");
    if (op === "Gather" && names.has(inputs[1] ?? "")) bounds.push(...indexedExtent(graph, node));
  }
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

const PASSES_ON: ReadonlySet<string> = new Set("Identity Cast Reshape Unsqueeze Squeeze Flatten".split(" "));

/** Extent of the axis a `Gather` indexes, if its table is a weight or a constant. */
function indexedExtent(graph: Graph, { inputs, attributes }: Node): number[] {
  const axis = attributes.get("axis");
  const table = inputs[0] ?? "";
  const shape = graph.weights.get(table)?.shape ?? graph.constants.get(table)?.shape;
  const extent = shape?.at(axis?.type === "int" ? axis.value : 0);
  return extent === undefined ? [] : [extent];
}
