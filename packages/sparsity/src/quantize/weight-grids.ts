import { at, sizeOf } from "@isthmus/core";
import { levelOf, levelsOf, type QuantizedBits, scaleOf } from "./quantize-values.ts";

/**
 * Ways to choose scales: one for each output channel of a weight, one for each weight, or one for each block
 * of {@link BLOCK} neighbouring elements of a row.
 */
export const QUANTIZE_SCHEMES = ["channel", "tensor", "block"] as const;

/** Way to choose scales. */
export type QuantizeScheme = (typeof QUANTIZE_SCHEMES)[number];

/** Elements of a block, as in the types of GGUF files such as `Q4_0`. */
const BLOCK = 32;

/** The grids of a weight: which elements share a scale, and the integers of each grid. */
export interface WeightGrids {
  /** Largest integer of a grid: 7 for 4 bits. */
  readonly levels: number;
  /** Number of grids. */
  readonly count: number;
  /** Index of the grid of each element, `[elements]`. */
  readonly gridOf: Int32Array;
}

/** A weight that is rounded to its grids. */
export interface RoundedWeight {
  /** Values on the grids, `[elements]`. */
  readonly values: Float64Array;
  /** Index of the element of largest magnitude of each grid, which its scale is made of; -1 for none. */
  readonly peaks: Int32Array;
}

/**
 * Lays the grids of a weight out.
 * @param shape - shape of the weight; blocks lie along the rows of its slices by the first axis, in the order
 *   of memory, and the last block of a row may be shorter
 * @param axis - axis along which the output channels lie
 */
export function layOutGrids(
  shape: readonly number[],
  {
    bits,
    scheme,
    axis,
  }: { readonly bits: QuantizedBits; readonly scheme: QuantizeScheme; readonly axis: number },
): WeightGrids {
  const elements = sizeOf(shape);
  const inner = scheme === "channel" ? sizeOf(shape.slice(axis + 1)) : sizeOf(shape.slice(1));
  const blocks = Math.ceil(inner / BLOCK);
  const channels = at(shape, axis, "axis");
  const rules = {
    tensor: { count: 1, of: () => 0 },
    channel: { count: channels, of: (i: number) => Math.floor(i / inner) % channels },
    block: {
      count: at(shape, 0, "axis") * blocks,
      of: (i: number) => Math.floor(i / inner) * blocks + Math.floor((i % inner) / BLOCK),
    },
  };
  const { count, of } = rules[scheme];
  const gridOf = new Int32Array(elements);
  for (let i = 0; i < elements; i++) gridOf[i] = of(i);
  return { levels: levelsOf(bits), count, gridOf };
}

/** Rounds a weight to its grids, each of which reaches to its largest magnitude. */
export function roundToGrids(
  source: Float32Array | Float64Array,
  { levels, count, gridOf }: WeightGrids,
): RoundedWeight {
  const peaks = new Int32Array(count).fill(-1);
  const largest = new Float64Array(count);
  for (let i = 0; i < source.length; i++) {
    const [grid, magnitude] = [gridOf[i] as number, Math.abs(source[i] as number)];
    if (magnitude <= (largest[grid] as number)) continue;
    largest[grid] = magnitude;
    peaks[grid] = i;
  }
  const scales = largest.map((magnitude) => scaleOf(magnitude, levels));
  const values = new Float64Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const scale = scales[gridOf[i] as number] as number;
    values[i] = scale * levelOf(source[i] as number, scale, levels);
  }
  return { values, peaks };
}
