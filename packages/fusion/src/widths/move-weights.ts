import { at, entry, MismatchError, sizeOf } from "@isthmus/core";
import { moveGainsInPlace } from "@isthmus/symmetry";
import type { MovedAxis } from "../transport/correspond.ts";
import { transportWeight } from "../transport/transport-weight.ts";
import type { Doubles } from "./framed.ts";
import type { WidthMaps } from "./width-maps.ts";
import type { WidthPair, WidthSide } from "./width-pair.ts";

/**
 * Brings a network with gains of 1 to the widths of the target, where it computes the same if units have maps
 * with orthonormal rows.
 *
 * A norm divides by a mean over the width, so a vector of `n` elements that is mapped to `N` comes out
 * `sqrt(N / n)` times as long as it should. Therefore whatever writes a stream is multiplied by that number,
 * which keeps the mean square and with it the part of the epsilon, and gains become its inverse; whatever
 * reads the stream past its norms is divided by it.
 *
 * @param gains - gains of the result, by name; `undefined` for the ones that keep the function alone
 */
export function moveWeights(
  pair: WidthPair,
  source: Doubles,
  maps: WidthMaps,
  gains: ReadonlyMap<string, Float64Array>,
): Doubles {
  const { target, correspondence } = pair;
  const stretches = stretchesOf(pair);
  const result: Doubles = new Map();
  for (const [name, values] of source) {
    const shape = entry(target.graph.weights, name, "weight").shape;
    const weight = correspondence.weights.get(name);
    const moved = weight === undefined ? values : transportWeight(values, weight, maps).data;
    if (moved.length !== sizeOf(shape)) {
      throw new MismatchError(
        `Cannot bring "${name}" to other widths as no units lie on its axes, so both networks must have it in one shape`,
        { parameters: [name] },
      );
    }
    const factor = stretches.get(name) ?? 1;
    result.set(name, factor === 1 ? moved.slice() : moved.map((value) => factor * value));
  }
  setGains(pair.target, result, stretchOfGains(pair));
  moveGainsInPlace(result, target.continuous.linear.scales, target.continuous.mixing, gains);
  return result;
}

/** Sets the gains of all streams to the numbers that keep what a mapped network computes. */
function setGains(
  { continuous: { mixing } }: WidthSide,
  values: Doubles,
  stretches: ReadonlyMap<string, number>,
): void {
  for (const { gain, origin } of mixing.gains) {
    const stretch = stretches.get(gain) ?? 1;
    entry(values, gain, "gain").fill(1 / stretch + origin);
  }
}

/** Returns the square root of the ratio of widths for each gain of a norm on a stream. */
function stretchOfGains({ source, correspondence: { families } }: WidthPair): Map<string, number> {
  const { spaces, norms } = source.continuous.mixing;
  const result = new Map<string, number>();
  for (const { gain, space } of norms) {
    const { symmetry } = at(spaces, space, "space");
    const family = families.find(({ name, symmetry: index }) => index !== undefined && name === symmetry);
    if (gain === undefined || family === undefined) continue;
    result.set(gain, Math.sqrt(family.target.count / family.source.count));
  }
  return result;
}

/** Returns the factor of each weight that writes a stream, or reads it past its norms. */
function stretchesOf(pair: WidthPair): Map<string, number> {
  const { mixing, linear } = pair.source.continuous;
  const ofNorms = new Set(mixing.norms.map(({ gain }) => gain));
  const ofGains = new Set(
    mixing.gains.flatMap(({ gain, variables }) => (ofNorms.has(gain) ? [...variables] : [])),
  );
  const factors = new Map<string, number>();
  for (const [name, { axes }] of pair.correspondence.weights) {
    const scales = linear.scales.weights.get(name);
    for (const moved of axes) {
      const field = scales?.fields.find(({ axes: [own] }) => own === moved.axis);
      // Behind a norm: its offset, and the weights into which its gain was moved.
      if (field?.variables.some((code) => ofGains.has(Math.abs(code) - 1)) === true) continue;
      factors.set(name, (factors.get(name) ?? 1) * stretchOf(pair, moved));
    }
  }
  return factors;
}

/** Returns the factor of a weight by one of its axes; 1 if no stream lies on it. */
function stretchOf(
  { correspondence: { families }, kinds }: WidthPair,
  { groups, isSummed }: MovedAxis,
): number {
  const [first] = groups.flatMap(({ family: index }) => (index === undefined ? [] : [index]));
  const family = first === undefined ? undefined : at(families, first, "family");
  if (family?.symmetry === undefined) return 1;
  if (!at(kinds, family.symmetry, "symmetry").startsWith("stream")) return 1;
  const stretch = Math.sqrt(family.target.count / family.source.count);
  return isSummed ? 1 / stretch : stretch;
}
