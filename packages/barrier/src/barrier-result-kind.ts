import { checkSizes, type ResultKind, type SizeChecks, titlesOfFiles } from "@isthmus/findings";
import type { BarrierResult } from "./barrier-result.ts";
import { type ComparedBarrierResult, curvesOf } from "./compared-barrier.ts";
import { describeBarriers } from "./describe/describe-barriers.ts";

/** Results of `isthmus barrier`: the barrier between two networks, also before their alignment. */
export const BARRIER_RESULT: ResultKind<ComparedBarrierResult> = {
  kind: "barrier",
  form: async () => (await import("./read/barrier-form.ts")).BARRIER_FORM,
  findSizeProblems: ({ asGiven, ...result }) =>
    checkSizes((checks) => {
      checkPoints(result, "", checks);
      if (asGiven !== undefined) checkPoints(asGiven, "asGiven.", checks);
    }),
  describe: (result) => describeBarriers(curvesOf(result)),
  titleOf: ({ a, b }) => `From ${titlesOfFiles([a, b]).join(" to ")}`,
};

function checkPoints({ points, tempered }: BarrierResult, above: string, checks: SizeChecks): void {
  checks.least(`${above}points`, points, 2);
  if (tempered === undefined) return;
  checks.length(`${above}tempered.points`, tempered.points, points.length, `"${above}points"`);
}
