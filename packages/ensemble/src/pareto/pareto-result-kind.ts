import { checkSizes, type ResultKind } from "@isthmus/findings";
import { describePareto } from "../describe/describe-pareto.ts";
import type { ParetoResult } from "./pareto-result.ts";

/** Results of `isthmus pareto`: networks that share their capacity between tasks in different ways. */
export const PARETO_RESULT: ResultKind<ParetoResult> = {
  kind: "pareto",
  form: async () => (await import("../forms/pareto-form.ts")).PARETO_FORM,
  findSizeProblems: ({ tasks, manifold, scalarised, reference }) =>
    checkSizes((checks) => {
      checks.least("tasks", tasks, 2);
      checks.length("reference", reference, tasks.length, '"tasks"');
      for (const [name, front] of Object.entries({ manifold, scalarised }))
        for (const [i, point] of (front?.points ?? []).entries())
          for (const part of ["shares", "losses", "accuracies"] as const)
            checks.length(`${name}.points.${i}.${part}`, point[part], tasks.length, '"tasks"');
    }),
  describe: describePareto,
  titleOf: ({ tasks }) => `Networks for ${tasks.join(" and ")}`,
};
