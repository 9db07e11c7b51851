import type { AggregationRule } from "./rules/aggregation-rule.ts";
import { bulyan } from "./rules/bulyan.ts";
import { centredClipping } from "./rules/centred-clipping.ts";
import { coordinateMedian } from "./rules/coordinate-median.ts";
import { fedavg } from "./rules/fedavg.ts";
import { fedbuff } from "./rules/fedbuff.ts";
import { geometricMedian } from "./rules/geometric-median.ts";
import { krum } from "./rules/krum.ts";
import { mda } from "./rules/mda.ts";
import { meamed } from "./rules/meamed.ts";
import { multiKrum } from "./rules/multi-krum.ts";
import { normBound } from "./rules/norm-bound.ts";
import { qfedavg } from "./rules/qfedavg.ts";
import { trimmedMean } from "./rules/trimmed-mean.ts";

const RULES = [
  ...[fedavg, fedbuff, qfedavg, normBound, coordinateMedian, trimmedMean, meamed],
  ...[geometricMedian, krum, multiKrum, bulyan, mda, centredClipping],
];

/** All aggregation rules, by name. */
export const AGGREGATION_RULES: ReadonlyMap<string, AggregationRule> = new Map(
  (RULES as unknown as AggregationRule[]).map((rule) => [rule.name, rule]),
);
