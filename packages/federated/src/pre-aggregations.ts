import type { PreAggregation } from "./pre-aggregation/pre-aggregation.ts";

/** All steps before an aggregation rule, by name. */
export const PRE_AGGREGATIONS: ReadonlyMap<string, PreAggregation> = new Map(
  ([] as PreAggregation[]).map((step) => [step.name, step]),
);
