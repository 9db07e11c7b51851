import { at, OutOfRangeError, sameShape, sizeOf, stridesOf } from "@isthmus/core";
import type { Rearrangement } from "./weight-source.ts";

/** Values in row-major order with their shape. */
export interface ShapedValues {
  /** Elements as f32, row-major. */
  readonly values: Float32Array;
  /** Extents of the axes, whose product is the number of elements. */
  readonly shape: readonly number[];
}

/**
 * Applies rearrangements to a tensor, one after another.
 *
 * The nodes that `bindGraph` writes compute the same; a search by value compares rearranged tensors.
 * @throws OutOfRangeError if a step does not fit the shape it is applied to
 */
export function rearrange(tensor: ShapedValues, steps: readonly Rearrangement[]): ShapedValues {
  return steps.reduce(applyStep, tensor);
}

/** Returns the shape of a tensor after some rearrangements. */
export function rearrangedShape(
  shape: readonly number[],
  steps: readonly Rearrangement[],
): readonly number[] {
  return steps.reduce<readonly number[]>((before, step) => {
    if (step.kind === "slice") return before.with(step.axis, step.end - step.begin);
    if (step.kind === "transpose") return step.permutation.map((axis) => at(before, axis));
    if (step.kind === "gather") return [step.indices.length, ...before.slice(1)];
    return step.shape;
  }, shape);
}

function applyStep(tensor: ShapedValues, step: Rearrangement): ShapedValues {
  const shape = rearrangedShape(tensor.shape, [step]);
  if (step.kind === "reshape") {
    if (sizeOf(shape) === tensor.values.length) return { values: tensor.values, shape };
    throw new OutOfRangeError(
      `Cannot reshape [${tensor.shape.join(", ")}] to [${shape.join(", ")}] as the number of elements must stay`,
    );
  }
  const { offset, strides } = view(tensor.shape, step);
  if (step.kind === "gather") return { values: gatherRows(tensor, step.indices), shape };
  return { values: readStrided(tensor.values, { shape, strides, offset }), shape };
}

/**
 * Returns the strided view that a step reads: element `i` of the result is at
 * `offset + sum_a i[a] strides[a]` of the tensor.
 */
function view(
  shape: readonly number[],
  step: Rearrangement,
): { readonly offset: number; readonly strides: readonly number[] } {
  const strides = stridesOf(shape);
  if (step.kind === "slice") return { offset: step.begin * at(strides, step.axis), strides };
  if (step.kind === "transpose") {
    return { offset: 0, strides: step.permutation.map((axis) => at(strides, axis)) };
  }
  if (step.kind !== "expand") return { offset: 0, strides };
  return {
    offset: 0,
    strides: step.shape.map((extent, axis) => (shape[axis] === extent ? at(strides, axis) : 0)),
  };
}

function gatherRows({ values, shape }: ShapedValues, indices: readonly number[]): Float32Array {
  const width = sizeOf(shape.slice(1));
  const rows = new Float32Array(indices.length * width);
  for (const [row, index] of indices.entries()) {
    rows.set(values.subarray(index * width, (index + 1) * width), row * width);
  }
  return rows;
}

/** Elements of a tensor at regular distances along each axis. */
interface StridedView {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Copies the elements of a strided view in row-major order. */
function readStrided(values: Float32Array, { shape, strides, offset }: StridedView): Float32Array {
  const result = new Float32Array(sizeOf(shape));
  const last = shape.length - 1;
  const [extent = 1, stride = 0] = [shape[last], strides[last]];
  const position = Int32Array.from(shape, () => 0);
  let start = offset;
  for (let i = 0; i < result.length; ) {
    for (let k = 0, place = start; k < extent; k++, place += stride) result[i++] = values[place] as number;
    for (let axis = last - 1; axis >= 0; axis--) {
      position[axis] = (position[axis] as number) + 1;
      start += strides[axis] as number;
      if ((position[axis] as number) < (shape[axis] as number)) break;
      start -= (strides[axis] as number) * (shape[axis] as number);
      position[axis] = 0;
    }
  }
  return result;
}

/**
 * Finds the row-major index in a tensor of an element of the rearranged tensor.
 * @param shape - shape of the tensor
 * @param place - index of the element in the result, row-major
 */
export function placeBefore(
  shape: readonly number[],
  steps: readonly Rearrangement[],
  place: number,
): number {
  const shapes = steps.map((_, count) => rearrangedShape(shape, steps.slice(0, count)));
  return steps.reduceRight((after, step, index) => placeBeforeStep(at(shapes, index), step, after), place);
}

function placeBeforeStep(shape: readonly number[], step: Rearrangement, place: number): number {
  if (step.kind === "reshape") return place;
  const resultStrides = stridesOf(rearrangedShape(shape, [step]));
  if (step.kind === "gather") {
    const width = sizeOf(shape.slice(1));
    return at(step.indices, Math.floor(place / width)) * width + (place % width);
  }
  const { offset, strides } = view(shape, step);
  let rest = place;
  return resultStrides.reduce((before, stride, axis) => {
    const position = Math.floor(rest / stride);
    rest -= position * stride;
    return before + position * at(strides, axis);
  }, offset);
}

/**
 * Returns the steps that turn shape `from` into shape `to` without moving an element; empty if they are
 * equal.
 */
export function reshapeTo(from: readonly number[], to: readonly number[]): Rearrangement[] {
  return sameShape(from, to) ? [] : [{ kind: "reshape", shape: to }];
}

/** Removes extents of 1 from a shape. */
export function squeezed(shape: readonly number[]): number[] {
  return shape.filter((extent) => extent !== 1);
}

/**
 * Lists the ways to exchange the axes of a tensor so that it gets another shape, ignoring extents of 1; the
 * identity is left out. Axes may be joined after the exchange, or split before it.
 *
 * At most five axes longer than 1 are considered.
 */
export function transpositions(from: readonly number[], to: readonly number[]): Rearrangement[][] {
  const [source, target] = [squeezed(from), squeezed(to)];
  if (sizeOf(source) !== sizeOf(target)) return [];
  if (source.length >= target.length) {
    // The tensor's axes in another order, some of them then joined.
    return ordersOf(source.length)
      .filter((order) =>
        joinsTo(
          order.map((axis) => at(source, axis)),
          target,
        ),
      )
      .map((permutation) => [
        ...reshapeTo(from, source),
        { kind: "transpose", permutation },
        ...reshapeTo(turn(source, permutation), to),
      ]);
  }
  // Some axes are split first, then all are reordered: the weight's axes in the former order
  // are the tensor's axes, split.
  return ordersOf(target.length)
    .map((permutation) => ({ permutation, cut: turn(target, inverse(permutation)) }))
    .filter(({ cut }) => joinsTo(cut, source))
    .map(({ permutation, cut }) => [
      { kind: "reshape", shape: cut },
      { kind: "transpose", permutation },
      ...reshapeTo(target, to),
    ]);
}

const turn = (shape: readonly number[], order: readonly number[]): number[] =>
  order.map((axis) => at(shape, axis));

const inverse = (order: readonly number[]): number[] => order.map((_, place) => order.indexOf(place));

/** Lists all orders of some axes except the identity; empty for fewer than two axes, or too many. */
function ordersOf(count: number): number[][] {
  if (count < 2 || count > MAX_TRANSPOSED) return [];
  return permutationsOf(count).filter((order) => order.some((axis, place) => axis !== place));
}

/** Checks whether joining neighbouring axes of a shape can give another shape. */
function joinsTo(shape: readonly number[], target: readonly number[]): boolean {
  let place = 0;
  for (const extent of target) {
    let product = 1;
    while (product < extent && place < shape.length) product *= at(shape, place++);
    if (product !== extent) return false;
  }
  return place === shape.length;
}

/** Maximum number of axes whose orders are tried. */
const MAX_TRANSPOSED = 5;

function permutationsOf(count: number): number[][] {
  if (count === 0) return [[]];
  return permutationsOf(count - 1).flatMap((shorter) =>
    Array.from({ length: count }, (_, place) => shorter.toSpliced(place, 0, count - 1)),
  );
}
