import { at, axisOffsets, stridesOf, type Tensor, toFloat64 } from "@isthmus/core";
import { spread } from "../../labels/field.ts";
import type { Marks } from "./marks.ts";

/** The numbers of a constant that multiply each position over some axes, up to their common sign. */
export interface Slices {
  /** Identifier of the numbers at each position. */
  readonly numbers: Int32Array;
  /** 1 at positions whose numbers are the negative of the numbered slice. */
  readonly negative: Int32Array;
  /** Whether all elements of a slice are equal, by its number: such a slice scales, and turns nothing. */
  readonly isPlain: ReadonlyMap<number, boolean>;
}

/** Slices of constants, each computed once. */
export class ConstantSlices {
  readonly #marks: Marks;
  readonly #isPlain = new Map<number, boolean>();
  readonly #byKey = new Map<string, Slices>();

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  /**
   * Slices a constant that multiplies a tensor.
   *
   * @param shape - shape of the tensor, of at least the rank of the constant
   * @param axes - axes of the tensor that the slices are for, ascending
   */
  of(name: string, constant: Tensor, shape: readonly number[], axes: readonly number[]): Slices {
    const added = shape.length - constant.shape.length;
    const extents = shape.map((_, axis) => (axis < added ? 1 : at(constant.shape, axis - added, "axis")));
    // Along axes of extent 1 all positions have the same slice.
    const varying = axes.filter((axis) => at(extents, axis, "axis") > 1);
    const key = `${name} ${extents.join()} ${varying.join()}`;
    const slices = this.#byKey.get(key) ?? this.#slice(constant, extents, varying);
    this.#byKey.set(key, slices);
    const over = (data: Int32Array) => spread({ axes: varying, data }, shape, axes);
    return { ...slices, numbers: over(slices.numbers), negative: over(slices.negative) };
  }

  #slice({ data, dtype }: Tensor, extents: readonly number[], axes: readonly number[]): Slices {
    const values = toFloat64(data, dtype);
    const strides = stridesOf(extents);
    const others = extents.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const offsets = axisOffsets(extents, strides, others);
    const positions = axisOffsets(extents, strides, axes);
    const numbers = new Int32Array(positions.length);
    const negative = new Int32Array(positions.length);
    positions.forEach((position, i) => {
      const slice = Float64Array.from(offsets, (offset) => values[position + offset] as number);
      const isNegative = (slice.find((value) => value !== 0) ?? 0) < 0;
      // Adding 0 turns -0 into 0.
      const absolute = slice.map((value) => (isNegative ? -value : value) + 0);
      const [first] = absolute;
      const isPlain = absolute.every((value) => value === first);
      const number = this.#marks.numberOf(isPlain ? `number ${first}` : `numbers ${absolute.join()}`);
      this.#isPlain.set(number, isPlain);
      numbers[i] = number;
      negative[i] = isNegative ? 1 : 0;
    });
    return { numbers, negative, isPlain: this.#isPlain };
  }
}
