import { at, entry, UnsupportedError } from "@isthmus/core";
import type { DiagonalSymmetry } from "../linear/linear-symmetries.ts";
import { multiplyInPlace } from "../linear/multiply-units.ts";
import type { MixingSymmetries } from "./mixing-symmetries.ts";

/** Weights of a network in f64, by name. */
export type DoubleWeights = ReadonlyMap<string, Float64Array>;

/** Returns the gains of the norms of all streams, by name. */
export function readGains(weights: DoubleWeights, { norms }: MixingSymmetries): Map<string, Float64Array> {
  const names = norms.flatMap(({ gain }) => gain ?? []);
  return new Map(names.map((name) => [name, entry(weights, name, "gain").slice()]));
}

/**
 * Gives the norms of all streams other gains without changing the function: what reads a norm is divided by
 * what its gain was multiplied by.
 *
 * With gains of 1 the stream may be mixed; with the gains of another network the path between both keeps its
 * norms.
 *
 * @param scales - the scales that the mixtures were discovered with
 * @param gains - the new gains by name; a norm without an entry gets 1
 * @throws UnsupportedError if a gain is 0, as what reads it could not be told apart from anything else
 */
export function moveGainsInPlace(
  weights: DoubleWeights,
  scales: DiagonalSymmetry,
  { norms }: MixingSymmetries,
  gains: DoubleWeights,
): void {
  const factors = new Float64Array(scales.variables).fill(1);
  for (const { gain, variables } of norms) {
    if (gain === undefined) continue;
    const current = entry(weights, gain, "gain");
    const target = gains.get(gain);
    variables.forEach((variable, i) => {
      const factor = (target === undefined ? 1 : at(target, i, "gain")) / at(current, i, "gain");
      if (!Number.isFinite(factor) || factor === 0) throw zeroGain(gain, i, at(current, i, "gain"));
      factors[variable] = factor;
    });
  }
  for (const [name, layout] of scales.weights) {
    const values = weights.get(name);
    if (values !== undefined) multiplyInPlace(values, 0, layout, factors);
  }
}

function zeroGain(name: string, index: number, value: number): UnsupportedError {
  return new UnsupportedError(
    `Cannot move the gain "${name}" into the weights that read its norm as no element may be 0: element ${index} is ${value}; permutations alone still work`,
    { feature: name },
  );
}
