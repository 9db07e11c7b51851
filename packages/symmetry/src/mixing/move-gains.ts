import { at, entry, UnsupportedError } from "@isthmus/core";
import type { DiagonalSymmetry } from "../linear/linear-symmetries.ts";
import { multiplyInPlace } from "../linear/multiply-units.ts";
import type { MixingSymmetries } from "./mixing-symmetries.ts";

/** Weights of a network in f64, by name. */
export type DoubleWeights = ReadonlyMap<string, Float64Array>;

/** Returns the gains of all streams, by the names of their weights; with 1 added if the graph adds it. */
export function readGains(weights: DoubleWeights, { gains }: MixingSymmetries): Map<string, Float64Array> {
  return new Map(
    gains.map(({ gain, origin }) => [gain, entry(weights, gain, "gain").map((value) => value - origin)]),
  );
}

/**
 * Gives all streams other gains without changing the function: the weights that read a norm are divided by
 * the factor that its gain is multiplied by, and the weights that write a branch by the factor of the
 * branch's gain.
 *
 * With gains of 1 the stream may be mixed; with the gains of another network the path between both networks
 * keeps these gains.
 *
 * @param scales - the scales that the mixtures were discovered with
 * @param gains - the new gains by name, as `readGains` returns them; one without an entry becomes 1
 * @throws UnsupportedError if a gain is 0, as the weights that read it could not be determined then
 */
export function moveGainsInPlace(
  weights: DoubleWeights,
  scales: DiagonalSymmetry,
  mixing: MixingSymmetries,
  gains: DoubleWeights,
): void {
  const factors = gainFactors(scales, mixing, { before: readGains(weights, mixing), after: gains });
  for (const [name, layout] of scales.weights) {
    const values = weights.get(name);
    if (values !== undefined) multiplyInPlace(values, 0, layout, factors);
  }
}

/**
 * Returns the factor of each scale variable that gives all streams other gains.
 *
 * @param gains - the gains by name, as `readGains` returns them; one without an entry becomes 1
 * @throws UnsupportedError if a gain is 0
 */
export function gainFactors(
  scales: DiagonalSymmetry,
  mixing: MixingSymmetries,
  gains: { readonly before: DoubleWeights; readonly after: DoubleWeights },
): Float64Array {
  const factors = new Float64Array(scales.variables).fill(1);
  for (const { gain, variables, isInverse } of mixing.gains) {
    const current = entry(gains.before, gain, "gain");
    const target = gains.after.get(gain);
    variables.forEach((variable, i) => {
      const factor = (target === undefined ? 1 : at(target, i, "gain")) / at(current, i, "gain");
      if (!Number.isFinite(factor) || factor === 0) throw zeroGain(gain, i, at(current, i, "gain"));
      factors[variable] = isInverse ? 1 / factor : factor;
    });
  }
  return factors;
}

function zeroGain(name: string, index: number, value: number): UnsupportedError {
  return new UnsupportedError(
    `Cannot move the gain "${name}" into the weights beside it as no element may be 0: element ${index} is ${value}; permutations alone still work`,
    { feature: name },
  );
}
