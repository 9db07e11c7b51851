import { at, createRandom, entry, meanOf } from "@isthmus/core";
import type { DoubleWeights } from "../mixing/move-gains.ts";
import type { LogitShift } from "./find-shifts.ts";

/** Amount that is added to the logits of one layer: `vector . x + number`. */
export interface ShiftAmount {
  /** Elements of the vector, one for each input of the layer. */
  readonly vector: Float64Array;
  /** The number that is added to each element of the bias; 0 for a layer without a bias. */
  readonly number: number;
}

/** Adds amounts to the logits of layers, or subtracts them. */
export function shiftLogitsInPlace(
  weights: DoubleWeights,
  shifts: readonly LogitShift[],
  amounts: readonly ShiftAmount[],
  sign: 1 | -1 = 1,
): void {
  const names = shifts.flatMap(({ weight, bias }) => (bias === undefined ? [weight] : [weight, bias]));
  for (const name of new Set(names)) {
    shiftWeightInPlace(entry(weights, name, "weight"), name, { shifts, amounts, sign });
  }
}

/** Changes one weight as adding amounts to the logits of layers does, or subtracting them. */
export function shiftWeightInPlace(
  values: Float32Array | Float64Array,
  name: string,
  {
    shifts,
    amounts,
    sign = 1,
  }: {
    readonly shifts: readonly LogitShift[];
    readonly amounts: readonly ShiftAmount[];
    readonly sign?: 1 | -1;
  },
): void {
  shifts.forEach((shift, index) => {
    const { vector, number } = at(amounts, index, "amount");
    if (shift.weight === name) {
      eachElement(shift, (element, input) => {
        values[element] = at(values, element, "element") + sign * at(vector, input, "input");
      });
    }
    if (shift.bias === name) {
      for (let i = 0; i < values.length; i++) values[i] = at(values, i, "element") + sign * number;
    }
  });
}

/**
 * Returns the means over the logits of each layer. Without these means a layer has the shortest weights that
 * compute the same; with the means of another network it is as close to that network as shifts can bring it.
 */
export function meanShifts(weights: DoubleWeights, shifts: readonly LogitShift[]): ShiftAmount[] {
  return shifts.map((shift) => {
    const values = entry(weights, shift.weight, "weight");
    const logits = at(shift.shape, shift.axis, "axis");
    const vector = new Float64Array(values.length / logits);
    eachElement(shift, (element, input) => {
      vector[input] = at(vector, input, "input") + at(values, element, "element") / logits;
    });
    if (shift.bias === undefined) return { vector, number: 0 };
    const bias = entry(weights, shift.bias, "bias");
    return { vector, number: meanOf(bias) };
  });
}

/** Draws amounts as large as weights are: normal numbers times a spread. */
export function randomShifts(
  shifts: readonly LogitShift[],
  seed: number,
  spread: number = 0.5,
): ShiftAmount[] {
  const random = createRandom(seed, "shift");
  return shifts.map(({ shape, axis, bias }) => ({
    vector: Float64Array.from({ length: at(shape, 1 - axis, "axis") }, () => spread * random.normal()),
    number: bias === undefined ? 0 : spread * random.normal(),
  }));
}

/** Calls a function with each element of a weight, and the input of the layer that it multiplies. */
function eachElement({ shape, axis }: LogitShift, visit: (element: number, input: number) => void): void {
  const [rows, columns] = [at(shape, 0, "axis"), at(shape, 1, "axis")];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) visit(row * columns + column, axis === 0 ? column : row);
  }
}
