import { arc } from "./pre-aggregation/arc.ts";
import { bucketing } from "./pre-aggregation/bucketing.ts";
import { clipping } from "./pre-aggregation/clipping.ts";
import { nnm } from "./pre-aggregation/nnm.ts";
import type { PreAggregation } from "./pre-aggregation/pre-aggregation.ts";

/** All steps before an aggregation rule, by name. */
export const PRE_AGGREGATIONS: ReadonlyMap<string, PreAggregation> = new Map(
  ([nnm, bucketing, clipping, arc] as unknown as PreAggregation[]).map((step) => [step.name, step]),
);
