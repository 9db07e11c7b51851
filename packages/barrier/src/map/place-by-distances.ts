import { at } from "@isthmus/core";
import { type Place, scaleClassically } from "./classical-scaling.ts";

/** Largest number of steps, and the least share of the stress by which a step must lower it. */
const STEPS = { most: 500, gain: 1e-7 } as const;
/**
 * Distance by which points are pulled apart, as a share of the longest distance, and angle between their
 * directions.
 */
const APART = 0.01;
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/**
 * Finds places for points in the plane so that their distances are as near as possible to given ones: by
 * classical scaling, then by steps that only lower the stress (SMACOF; de Leeuw 1977).
 *
 * Networks that were trained independently are all about equally far from each other, as the corners of a
 * simplex. Classical scaling alone projects some of these corners onto each other; the steps pull them apart.
 * @param distances - `[points][points]`, symmetric; at least two points
 * @returns place of each point, with their mean at the origin, and Kruskal's stress (formula 1 of Kruskal
 *   1964, without a monotone transformation): the root of the ratio of the squared misfits to all squared
 *   distances
 */
export function placeByDistances(distances: readonly (readonly number[])[]): {
  readonly places: readonly Place[];
  readonly stress: number;
} {
  const classical = scaleClassically(distances);
  const starts = [classical, pullApart(distances, classical)].map((start) => lowerStress(distances, start));
  const { places, stress } = starts.reduce((best, other) => (other.stress < best.stress ? other : best));
  // The steps keep the mean of the places, but not the axes, so that the result is scaled classically again.
  return { places: scaleClassically(places.map((one) => places.map((two) => gap(one, two)))), stress };
}

/**
 * Moves each point a little in a direction of its own, as the steps cannot separate points that begin at one
 * place; points at distance 0 move alike.
 */
function pullApart(distances: readonly (readonly number[])[], places: readonly Place[]): Place[] {
  const size = APART * Math.max(...distances.flat());
  return places.map(([x, y], i) => {
    const angle = GOLDEN_ANGLE * at(distances, i, "row").indexOf(0);
    return [x + size * Math.cos(angle), y + size * Math.sin(angle)];
  });
}

function lowerStress(
  distances: readonly (readonly number[])[],
  start: readonly Place[],
): { readonly places: readonly Place[]; readonly stress: number } {
  let [places, stress] = [start, stressOf(distances, start)];
  for (let step = 0; step < STEPS.most; step++) {
    const next = distances.map((row, i) => majorize(row, places, i));
    const lower = stressOf(distances, next);
    if (!(lower < stress * (1 - STEPS.gain))) break;
    [places, stress] = [next, lower];
  }
  return { places, stress };
}

/**
 * Returns the new place of one point: the mean of the places that fit its distance to each other point (the
 * Guttman transform).
 */
function majorize(distances: readonly number[], places: readonly Place[], point: number): Place {
  const here = at(places, point, "place");
  let [x, y] = [0, 0];
  for (const [other, there] of places.entries()) {
    const between = gap(here, there);
    if (between === 0) continue;
    const factor = at(distances, other, "distance") / between;
    x += factor * (here[0] - there[0]);
    y += factor * (here[1] - there[1]);
  }
  return [x / places.length, y / places.length];
}

function gap([x, y]: Place, [u, v]: Place): number {
  return Math.hypot(x - u, y - v);
}

function stressOf(distances: readonly (readonly number[])[], places: readonly Place[]): number {
  let [misfit, total] = [0, 0];
  for (const [i, place] of places.entries()) {
    for (const [j, other] of places.slice(0, i).entries()) {
      const distance = at(at(distances, i, "row"), j, "distance");
      misfit += (distance - gap(place, other)) ** 2;
      total += distance ** 2;
    }
  }
  return total === 0 ? 0 : Math.sqrt(misfit / total);
}
