import { checkSizes, type SizeChecks } from "@isthmus/findings";
import type { MapResult, MapStage } from "../map-result.ts";

/** Lists which sizes in a map do not belong together. */
export function findMapSizeProblems({ networks, before, after }: MapResult): readonly string[] {
  return checkSizes((checks) => {
    checks.length("after.pairs", after.pairs, before.pairs.length, '"before.pairs"');
    checkStage(before, networks.length, "before.", checks);
    checkStage(after, networks.length, "after.", checks);
  });
}

function checkStage(
  { pairs, tree, places }: MapStage,
  networks: number,
  above: string,
  checks: SizeChecks,
): void {
  checks.length(`${above}places.networks`, places.networks, networks, '"networks"');
  checks.length(`${above}tree.order`, tree.order, networks, '"networks"');
  for (const [i, one] of tree.order.entries())
    checks.position(`${above}tree.order.${i}`, one, networks, "networks");
  for (const [i, { a, b }] of pairs.entries())
    for (const [name, one] of Object.entries({ a, b }))
      checks.position(`${above}pairs.${i}.${name}`, one, networks, "networks");
  // A join may be of what was joined before.
  for (const [i, { a, b }] of tree.joins.entries())
    for (const [name, one] of Object.entries({ a, b }))
      checks.position(`${above}tree.joins.${i}.${name}`, one, networks + i, "networks and the joins before");
}
