import fc from "fast-check";

/** One spatial axis of a convolution or a pool. */
export interface AxisCase {
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  /** Largest number of elements by which an axis is longer than one window. */
  readonly spare: number;
}

/** Way in which the axes of a window are padded. */
export type Padding = "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";

/** Whole numbers up to a maximum. */
export const upTo = (max: number, min = 0): fc.Arbitrary<number> => fc.integer({ min, max });

/** Draws axes that are up to `spare` elements longer than one window. */
export const axisCases = (spare: number): fc.Arbitrary<AxisCase> =>
  fc.record({
    taps: upTo(3, 1),
    stride: upTo(3, 1),
    dilation: upTo(2, 1),
    before: upTo(2),
    after: upTo(2),
    spare: upTo(spare),
  });

/** One to three axes, most often two. */
export const severalAxes = <T>(axis: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.array(axis, { minLength: 2, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.array(axis, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(axis, { minLength: 3, maxLength: 3 }) },
  );

/** Ways to pad, most often by numbers. */
export const paddings: fc.Arbitrary<Padding> = fc.constantFrom(
  "NOTSET",
  "NOTSET",
  "NOTSET",
  "VALID",
  "SAME_UPPER",
  "SAME_LOWER",
);
