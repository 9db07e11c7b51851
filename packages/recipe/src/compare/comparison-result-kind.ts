import { checkSizes, type ResultKind, type SizeChecks } from "@isthmus/findings";
import { basename } from "@isthmus/platform";
import type { ComparisonResult } from "./comparison-result.ts";
import { describeComparison } from "./describe/describe-comparison.ts";

/** Largest number of networks that a title lists by name; for more networks it gives their number. */
const MOST_NAMED = 3;

/** Results of `isthmus compare`: how networks are related, and the obstacles to merging them. */
export const COMPARISON_RESULT: ResultKind<ComparisonResult> = {
  kind: "comparison",
  form: async () => (await import("./comparison-form.ts")).COMPARISON_FORM,
  findSizeProblems: (result) => checkSizes((checks) => checkComparison(result, checks)),
  describe: describeComparison,
  titleOf: ({ networks }) =>
    networks.length > MOST_NAMED
      ? `${networks.length} networks compared`
      : `${networks.map(({ source }) => basename(source)).join(", ")} compared`,
};

/** Checks the parts that are concluded of a comparison; results of earlier versions lack them. */
function checkConclusions(
  { networks, descent, advice }: Pick<ComparisonResult, "networks" | "descent" | "advice">,
  checks: SizeChecks,
): void {
  const { length } = networks;
  const positions = {
    "advice.base": [advice?.base ?? null],
    "advice.networks": advice?.networks ?? [],
    "descent.parents": descent?.parents ?? [],
  };
  for (const [where, list] of Object.entries(positions))
    for (const [i, one] of list.entries()) checks.position(`${where}.${i}`, one, length, "networks");
  if (descent === null) return;
  for (const key of ["parents", "support", "distances"] as const)
    checks.length(`descent.${key}`, descent[key], length, '"networks"');
}

function checkComparison(
  { networks, base, pairs, taskVectors, verdicts, findings, descent, advice }: ComparisonResult,
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
  checkConclusions({ networks, descent, advice }, checks);
  if (taskVectors === null) return;
  const { lengths, cosines, conflicts } = taskVectors;
  const { length } = taskVectors.networks;
  position("taskVectors.base", taskVectors.base);
  for (const [i, one] of taskVectors.networks.entries()) position(`taskVectors.networks.${i}`, one);
  checks.length("taskVectors.lengths", lengths, length, '"taskVectors.networks"');
  checks.table("taskVectors.cosines", cosines, [length, length], '"taskVectors.networks"');
  if (conflicts !== null)
    checks.table("taskVectors.conflicts", conflicts, [length, length], '"taskVectors.networks"');
}
