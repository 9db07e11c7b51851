import { at } from "@isthmus/core";
import type { Front } from "../pareto/pareto-result.ts";

/**
 * Counts the networks of a front that are better than the reference at every task: only these add to the
 * hypervolume.
 */
export function countInside({ points }: Front, reference: readonly number[]): number {
  return points.filter(({ losses }) => losses.every((loss, task) => loss < at(reference, task, "task")))
    .length;
}
