import type { MergeMethod } from "./merge-method.ts";
import { linear } from "./methods/linear.ts";
import { slerp } from "./methods/slerp.ts";

const METHODS: readonly MergeMethod[] = [linear, slerp];

/** All merge methods, by name. */
export const MERGE_METHODS: ReadonlyMap<string, MergeMethod> = new Map(
  METHODS.map((method) => [method.name, method]),
);
