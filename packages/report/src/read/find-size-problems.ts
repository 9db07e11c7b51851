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
  comparison: checkComparison,
  pareto({ tasks, manifold, scalarised, reference }, checks) {
    checks.least("tasks", tasks, 2);
    checks.length("reference", reference, tasks.length, '"tasks"');
    for (const [name, front] of Object.entries({ manifold, scalarised }))
      for (const [i, point] of (front?.points ?? []).entries())
        for (const part of ["shares", "losses", "accuracies"] as const)
          checks.length(`${name}.points.${i}.${part}`, point[part], tasks.length, '"tasks"');
  },
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
