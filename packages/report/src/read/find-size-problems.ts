import { checkSizes, type SizeChecks } from "@isthmus/findings";
import { loadMeasurement } from "@isthmus/measurements";
import type { WrittenOut } from "../result/describe-result.ts";
import type { DrawableResult } from "../result/drawable-result.ts";

type Kind = WrittenOut["kind"];
type ResultOf<K extends Kind> = Extract<WrittenOut, { readonly kind: K }>;

/**
 * Says what sizes in a result do not belong together, of which a schema of one part knows nothing; drawing
 * looks entries of one list up by positions in another.
 */
export async function findSizeProblems(result: DrawableResult): Promise<readonly string[]> {
  const defined = await loadMeasurement(result.kind);
  if (defined !== undefined) return defined.findSizeProblems?.(result) ?? [];
  const check = new Map<string, unknown>(Object.entries(CHECKS)).get(result.kind) as Check | undefined;
  return check === undefined ? [] : checkSizes((checks) => check(result, checks));
}

type Check = (result: DrawableResult, checks: SizeChecks) => void;

/** Checks of kinds without a definition; the other kinds have no sizes that depend on each other. */
const CHECKS: { readonly [K in Kind]?: (result: ResultOf<K>, checks: SizeChecks) => void } = {
  barrier(result, checks) {
    checkPoints(result, "", checks);
    if (result.asGiven !== undefined) checkPoints(result.asGiven, "asGiven.", checks);
  },
  plane({ xs, ys, loss, error }, checks) {
    for (const [name, list] of Object.entries({ xs, ys })) checks.least(name, list, 1);
    for (const [name, rows] of Object.entries({ loss, error }))
      checks.table(name, rows, [ys.length, xs.length], '"ys" and "xs"');
  },
  map({ networks, before, after }, checks) {
    checks.length("after.pairs", after.pairs, before.pairs.length, '"before.pairs"');
    checkJoined(before, networks.length, "before.", checks);
    checkJoined(after, networks.length, "after.", checks);
  },
  comparison: checkComparison,
  pareto({ tasks, manifold, scalarised, reference }, checks) {
    checks.least("tasks", tasks, 2);
    checks.length("reference", reference, tasks.length, '"tasks"');
    for (const [name, front] of Object.entries({ manifold, scalarised }))
      for (const [i, point] of (front?.points ?? []).entries())
        for (const part of ["shares", "losses", "accuracies"] as const)
          checks.length(`${name}.points.${i}.${part}`, point[part], tasks.length, '"tasks"');
  },
  landscape: checkLandscape,
};

function checkPoints(
  { points, tempered }: Pick<ResultOf<"barrier">, "points" | "tempered">,
  above: string,
  checks: SizeChecks,
): void {
  checks.least(`${above}points`, points, 2);
  if (tempered === undefined) return;
  checks.length(`${above}tempered.points`, tempered.points, points.length, `"${above}points"`);
}

function checkJoined(
  { pairs, tree, places }: ResultOf<"map">["before"],
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

function checkComparison(
  { networks, base, pairs, taskVectors, verdicts, findings }: ResultOf<"comparison">,
  checks: SizeChecks,
): void {
  const position = (where: string, one: number | null): void =>
    checks.position(where, one, networks.length, "networks");
  position("base", base);
  for (const [name, list] of Object.entries({ pairs, verdicts }))
    for (const [i, { a, b }] of list.entries()) {
      position(`${name}.${i}.a`, a);
      position(`${name}.${i}.b`, b);
    }
  for (const [i, finding] of findings.entries())
    for (const [j, one] of finding.networks.entries()) position(`findings.${i}.networks.${j}`, one);
  if (taskVectors === null) return;
  const { lengths, cosines } = taskVectors;
  const { length } = taskVectors.networks;
  position("taskVectors.base", taskVectors.base);
  for (const [i, one] of taskVectors.networks.entries()) position(`taskVectors.networks.${i}`, one);
  checks.length("taskVectors.lengths", lengths, length, '"taskVectors.networks"');
  checks.table("taskVectors.cosines", cosines, [length, length], '"taskVectors.networks"');
}

function checkLandscape(
  { axes, loss, error, networks, topology }: ResultOf<"landscape">,
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
