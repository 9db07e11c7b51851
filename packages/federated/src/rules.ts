import type { AggregationRule } from "./rules/aggregation-rule.ts";
import { coordinateMedian } from "./rules/coordinate-median.ts";
import { fedavg } from "./rules/fedavg.ts";

/** All aggregation rules, by name. */
export const AGGREGATION_RULES: ReadonlyMap<string, AggregationRule> = new Map(
  ([fedavg, coordinateMedian] as AggregationRule[]).map((rule) => [rule.name, rule]),
);
