import type { MergeMethod } from "./merge-method.ts";
import { isoC } from "./methods/iso-c.ts";
import { isoCts } from "./methods/iso-cts.ts";
import { knots } from "./methods/knots.ts";
import { linear } from "./methods/linear.ts";
import { slerp } from "./methods/slerp.ts";
import { svc } from "./methods/svc.ts";
import { tsvM } from "./methods/tsv-m.ts";
import { wudi } from "./methods/wudi.ts";

const METHODS: readonly MergeMethod[] = [
  linear,
  slerp,
  isoC,
  isoCts,
  tsvM,
  svc,
  knots,
  wudi,
] as MergeMethod[];

/** All merge methods, by name. */
export const MERGE_METHODS: ReadonlyMap<string, MergeMethod> = new Map(
  METHODS.map((method) => [method.name, method]),
);
