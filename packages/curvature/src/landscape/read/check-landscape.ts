import type { SizeChecks } from "@isthmus/findings";
import type { LandscapeResult } from "../landscape-result.ts";

/** Checks that the lists of a landscape fit one another in length, and that their indices are valid. */
export function checkLandscape(
  { axes, loss, error, networks, topology }: LandscapeResult,
  checks: SizeChecks,
): void {
  const { shape, minima, saddles } = topology;
  const places = axes.reduce((product, { length }) => product * length, 1);
  checks.least("axes", axes, 1);
  checks.least("networks", networks, 1);
  for (const [i, axis] of axes.entries()) {
    const { [i]: size } = shape;
    checks.least(`axes.${i}`, axis, 2);
    if (size !== undefined) checks.length(`axes.${i}`, axis, size, '"topology.shape"');
  }
  checks.length("topology.shape", shape, axes.length, '"axes"');
  for (const [name, list] of Object.entries({ loss, error }))
    checks.length(name, list, places, 'the grid of "axes"');
  for (const [i, { place }] of networks.entries())
    checks.length(`networks.${i}.place`, place, axes.length, '"axes"');
  for (const [i, { index, saddle, merge }] of minima.entries()) {
    checks.position(`topology.minima.${i}.index`, index, places, "loss");
    checks.position(`topology.minima.${i}.saddle`, saddle, saddles.length, "topology.saddles");
    checks.position(`topology.minima.${i}.merge`, merge, minima.length, "topology.minima");
  }
  for (const [i, { index, parent }] of saddles.entries()) {
    checks.position(`topology.saddles.${i}.index`, index, places, "loss");
    checks.position(`topology.saddles.${i}.parent`, parent, saddles.length, "topology.saddles");
  }
}
