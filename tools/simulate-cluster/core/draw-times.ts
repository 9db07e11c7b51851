import { createRandom } from "@isthmus/core";
import type { SimulatedTask } from "./cluster.ts";

/**
 * Draws the seconds that each task computes, log-normal around its mean. The draw of a task depends on the
 * seed and its place alone, so that clusters are compared on the same times.
 */
export function drawTimes(
  tasks: readonly SimulatedTask[],
  { spread, seed }: { readonly spread: number; readonly seed: number },
): Float64Array {
  const random = createRandom(seed, "times of tasks");
  return Float64Array.from(tasks, ({ seconds }) => {
    const factor = Math.exp(spread * random.normal() - (spread * spread) / 2);
    return seconds * factor;
  });
}
