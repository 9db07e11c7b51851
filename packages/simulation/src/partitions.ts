import { byLabel } from "./partitions/by-label.ts";
import { dirichlet } from "./partitions/dirichlet.ts";
import { featureShift } from "./partitions/feature-shift.ts";
import { iid } from "./partitions/iid.ts";
import type { PartitionScheme } from "./partitions/partition-scheme.ts";
import { shards } from "./partitions/shards.ts";

/** All ways to divide examples over clients, by name. */
export const PARTITIONS: ReadonlyMap<string, PartitionScheme> = new Map(
  ([iid, dirichlet, shards, byLabel, featureShift] as unknown as PartitionScheme[]).map((scheme) => [
    scheme.name,
    scheme,
  ]),
);
