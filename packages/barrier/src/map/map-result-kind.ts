import { checkSizes, type ResultKind, type SizeChecks } from "@isthmus/findings";
import { describeMap } from "../describe/map/describe-map.ts";
import type { MapResult, MapStage } from "../map-result.ts";

/** Results of `isthmus map`: the barriers between every two of several networks. */
export const MAP_RESULT: ResultKind<MapResult> = {
  kind: "map",
  form: async () => (await import("../read/map-form.ts")).MAP_FORM,
  findSizeProblems: ({ networks, before, after }) =>
    checkSizes((checks) => {
      checks.length("after.pairs", after.pairs, before.pairs.length, '"before.pairs"');
      checkStage(before, networks.length, "before.", checks);
      checkStage(after, networks.length, "after.", checks);
    }),
  describe: describeMap,
  titleOf: ({ networks }) => `A map of ${networks.length} networks`,
};

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
  // A join may join the groups of earlier joins.
  for (const [i, { a, b }] of tree.joins.entries())
    for (const [name, one] of Object.entries({ a, b }))
      checks.position(`${above}tree.joins.${i}.${name}`, one, networks + i, "networks and the joins before");
}
