import { at, sizeOf } from "@isthmus/core";
import { rearrange, reshapeTo, squeezed, transpositions } from "./rearrange.ts";
import { isConstant, roundTo, sameValues } from "./same-values.ts";
import type { CarriedValues, TensorPool } from "./tensor-pool.ts";
import type { ConcatenatedSource, Rearrangement, TensorSource } from "./weight-source.ts";

/**
 * Finds a weight that is a smaller tensor repeated along some axes, as an exporter writes a
 * class token for a fixed batch.
 * @returns undefined if the weight does not repeat, or its repeated part is in no tensor or in several
 */
export async function findRepeated(
  pool: TensorPool,
  carried: CarriedValues,
): Promise<TensorSource | undefined> {
  const axes = carried.shape.flatMap((extent, axis) => (extent > 1 && repeats(carried, axis) ? [axis] : []));
  if (axes.length === 0 || isConstant(carried.values)) return undefined;
  const steps = axes.map((axis): Rearrangement => ({ kind: "slice", axis, begin: 0, end: 1 }));
  const single: CarriedValues = { ...rearrange(carried, steps), dtype: carried.dtype };
  const [source, another] = await pool.find(single);
  if (source === undefined || another !== undefined) return undefined;
  return { ...source, steps: [...source.steps, { kind: "expand", shape: carried.shape }] };
}

/**
 * Finds a weight that joins several tensors of one shape along the first axis, each transposed or not, as
 * layers that a network stacks before it uses them.
 * @returns undefined if some slice is in no tensor, or in several
 */
export async function findStack(
  pool: TensorPool,
  carried: CarriedValues,
): Promise<ConcatenatedSource | undefined> {
  const [count = 1, ...rest] = carried.shape;
  if (count < 2 || count > MAX_STACKED || rest.length === 0) return undefined;
  const parts: TensorSource[] = [];
  for (let i = 0; i < count; i++) {
    const slice = rearrange(carried, [{ kind: "slice", axis: 0, begin: i, end: i + 1 }]);
    if (isConstant(slice.values)) return undefined;
    const [source, another] = await pool.find({ values: slice.values, shape: rest, dtype: carried.dtype });
    if (source === undefined || another !== undefined) return undefined;
    parts.push({ ...source, steps: [...source.steps, { kind: "reshape", shape: [1, ...rest] }] });
  }
  return { kind: "concatenated", parts, shape: carried.shape };
}

/** Largest number of tensors in a stack. */
const MAX_STACKED = 256;

/** Checks whether all slices along an axis are equal. */
function repeats({ values, shape }: CarriedValues, axis: number): boolean {
  const extent = at(shape, axis);
  const inner = sizeOf(shape.slice(axis + 1));
  for (let i = 0; i < values.length; i++) {
    const along = Math.floor(i / inner) % extent;
    if (values[i] !== values[i - along * inner]) return false;
  }
  return true;
}

/**
 * Finds a weight that is a part of a larger tensor along one axis: the queries of a fused projection, the
 * first rows of a table of positions.
 * @returns undefined if the weight is in no tensor, or in several
 */
export async function findSlice(pool: TensorPool, carried: CarriedValues): Promise<TensorSource | undefined> {
  if (isConstant(carried.values)) return undefined;
  const sources: TensorSource[] = [];
  for (const [tensor, { shape, dtype }] of pool.checkpoint.tensors) {
    const candidates = sliceShapes(shape, carried.shape);
    if (candidates.length === 0) continue;
    const values = roundTo(await pool.read(tensor), carried.dtype);
    const target = { ...carried, values: roundTo(carried.values, dtype) };
    for (const candidate of candidates) {
      const begin = findBegin({ values, shape: squeezed(shape) }, candidate, target);
      if (begin === undefined) continue;
      const slice = { kind: "slice", axis: candidate.axis, begin, end: begin + candidate.length } as const;
      const steps = [...reshapeTo(shape, squeezed(shape)), slice, ...candidate.after];
      sources.push({ kind: "tensor", tensor, steps });
    }
  }
  const fresh = sources.filter(({ tensor }) => !pool.isTaken(tensor));
  const [source, another] = fresh.length > 0 ? fresh : sources;
  return another === undefined ? source : undefined;
}

/** A way to cut a tensor, without its axes of extent 1, to the shape of a weight. */
interface SliceShape {
  readonly axis: number;
  readonly length: number;
  /** Shape of the part, axes as in the tensor. */
  readonly part: readonly number[];
  /** Steps that turn the part into the weight. */
  readonly after: readonly Rearrangement[];
}

/** Lists the ways to cut a tensor to the shape of a weight. */
function sliceShapes(shape: readonly number[], target: readonly number[]): SliceShape[] {
  const [from, to] = [squeezed(shape), squeezed(target)];
  if (from.length !== to.length || sizeOf(from) <= sizeOf(to)) return [];
  return from.flatMap((extent, axis) =>
    [...new Set(to)]
      .filter((length) => length < extent)
      .flatMap((length) => {
        const part = from.with(axis, length);
        const same = part.join() === to.join() ? [reshapeTo(part, target)] : [];
        return [...same, ...transpositions(part, target)].map((after) => ({ axis, length, part, after }));
      }),
  );
}

/**
 * Finds the position along its axis at which the part of a tensor that is the weight begins; undefined if
 * there is none.
 */
function findBegin(
  { values, shape }: { readonly values: Float32Array; readonly shape: readonly number[] },
  { axis, length, part, after }: SliceShape,
  carried: CarriedValues,
): number | undefined {
  const inner = sizeOf(shape.slice(axis + 1));
  for (let begin = 0; begin + length <= at(shape, axis); begin++) {
    // The first element of the part is the first one of the weight, in any order of the axes.
    if (values[begin * inner] !== carried.values[0]) continue;
    const cut = rearrange({ values, shape }, [{ kind: "slice", axis, begin, end: begin + length }, ...after]);
    if (sizeOf(part) === cut.values.length && sameValues(cut.values, carried.values)) return begin;
  }
  return undefined;
}
