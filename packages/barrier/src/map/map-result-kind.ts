import { checkSizes, type ResultKind, type SizeChecks } from "@isthmus/findings";
import { describeMap } from "../describe/map/describe-map.ts";
import type { MapGround, MapResult, MapStage } from "../map-result.ts";

/** Results of `isthmus map`: the barriers between every two of several networks. */
export const MAP_RESULT: ResultKind<MapResult> = {
  kind: "map",
  form: async () => (await import("../read/map-form.ts")).MAP_FORM,
  findSizeProblems: ({ networks, before, after, points, ground, paths = [] }) =>
    checkSizes((checks) => {
      checks.length("after.pairs", after.pairs, before.pairs.length, '"before.pairs"');
      checkStage({ ...before, points }, networks.length, "before.", checks);
      checkStage({ ...after, points }, networks.length, "after.", checks);
      for (const [i, { a, b }] of paths.entries())
        for (const [name, one] of Object.entries({ a, b }))
          checks.position(`paths.${i}.${name}`, one, networks.length, "networks");
      if (ground !== undefined) checkGround(ground, networks.length, checks);
    }),
  describe: describeMap,
  titleOf: ({ networks }) => `A map of ${networks.length} networks`,
};

function checkStage(
  { pairs, tree, places, points }: MapStage & { readonly points: number },
  networks: number,
  above: string,
  checks: SizeChecks,
): void {
  checks.length(`${above}places.networks`, places.networks, networks, '"networks"');
  checks.length(`${above}tree.order`, tree.order, networks, '"networks"');
  for (const [i, one] of tree.order.entries())
    checks.position(`${above}tree.order.${i}`, one, networks, "networks");
  for (const [i, { a, b, losses, errors }] of pairs.entries()) {
    for (const [name, one] of Object.entries({ a, b }))
      checks.position(`${above}pairs.${i}.${name}`, one, networks, "networks");
    for (const [name, list] of Object.entries({ losses, errors }))
      if (list !== undefined)
        checks.length(`${above}pairs.${i}.${name}`, list, points - 2, '"points" without both ends');
  }
  // A join may join the groups of earlier joins.
  for (const [i, { a, b }] of tree.joins.entries())
    for (const [name, one] of Object.entries({ a, b }))
      checks.position(`${above}tree.joins.${i}.${name}`, one, networks + i, "networks and the joins before");
}

function checkGround(
  { xs, ys, networks: placed, ...values }: MapGround,
  n: number,
  checks: SizeChecks,
): void {
  for (const name of ["loss", "error"] as const)
    checks.table(`ground.${name}`, values[name], [ys.length, xs.length], '"ground.ys" and "ground.xs"');
  for (const [i, { network }] of placed.entries())
    checks.position(`ground.networks.${i}.network`, network, n + 1, "networks and their mean");
}
