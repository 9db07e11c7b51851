import type { Workload } from "../core/cluster.ts";
import { type Measured, numberOf } from "../measured.ts";

/** What is merged. */
export interface TiesMerge {
  /** Bytes of one model. */
  readonly model: number;
  /** Least bytes of the result that one task writes. */
  readonly batch: number;
  /** Files read for each one that is written: a base and the networks. */
  readonly inputs: number;
}

/** A model of 400 GB, in tasks of 128 MiB, of a base and two networks. */
export const TIES_MERGE_DEFAULTS: TiesMerge = { model: 400e9, batch: 128 * 2 ** 20, inputs: 3 };

/** Makes the workload of merging a large model by TIES, batch by batch; no task depends on another. */
export function tiesMerge(measured: Measured, options: Partial<TiesMerge> = {}): Workload {
  const { model, batch, inputs } = { ...TIES_MERGE_DEFAULTS, ...options };
  const count = Math.max(1, Math.floor(model / batch));
  const writes = model / count;
  const reads = inputs * writes;
  const seconds = (reads + writes) / numberOf(measured, "mergeBandwidth");
  const task = { kind: "merge", seconds, reads, writes, after: [] };
  return {
    name: "ties-merge",
    title: `TIES merge of ${model / 1e9} GB`,
    tasks: Array.from({ length: count }, () => task),
  };
}
