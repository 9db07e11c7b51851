import { at } from "@isthmus/core";
import type { TunedTask } from "./bind-task.ts";
import { effectiveInto } from "./effective-weights.ts";
import { limitsOf } from "./learn-weights.ts";
import { expertsOf, type OpenedTuning } from "./open-tuning.ts";
import { addDistances, distanceAt, measureOutputDistances, type OutputTask } from "./output-space.ts";
import { solveQuadratic } from "./solve-quadratic.ts";
import type { TuneMergeOptions } from "./tune-merge-options.ts";
import type { TuneMergeResult } from "./tune-merge-result.ts";

/**
 * Finds the weights at which the outputs of linear layers are nearest to the experts' outputs, part by part.
 * Parts without a linear layer get the weights that are best for all layers together.
 * @param weights - `[groups, models]`, the start, overwritten by the result
 */
export async function solveOutputs(
  { groups, directions, bound }: OpenedTuning,
  tasks: readonly TunedTask[],
  weights: Float64Array,
  { bounds, sum, signal, onProgress }: TuneMergeOptions,
): Promise<Pick<TuneMergeResult, "steps" | "resumedAt" | "losses">> {
  const models = weights.length / groups.length;
  const outputTasks = bound.flatMap(({ architecture, stored, experts }, place) =>
    expertsOf(tasks, place, models).map((k): OutputTask => {
      const { data } = at(tasks, place, "task");
      return { architecture, stored, data, expert: at(experts, k, "expert") };
    }),
  );
  const follow = (done: number) =>
    onProgress?.({ phase: "Learning", done, step: 0, loss: Number.NaN, means: [] });
  const distances = await measureOutputDistances(directions, outputTasks, { follow, signal });
  const all = addDistances([...distances.values()]);
  let [before, after] = [0, 0];
  for (const [g, group] of groups.entries()) {
    const layers = group.tensors.flatMap((name) => distances.get(name) ?? []);
    const distance = layers.length === 0 ? all : addDistances(layers);
    const limits = group.isNormalized
      ? { ...limitsOf(group, { bounds, sum }), sum: 1 }
      : limitsOf(group, { bounds, sum });
    const row = weights.subarray(g * models, (g + 1) * models);
    const solved = await solveQuadratic(distance, Float64Array.from(group.start), limits);
    row.set(solved);
    if (layers.length === 0) continue;
    const factors = Float64Array.from(group.start);
    effectiveInto([group], factors.slice(), factors);
    before += distanceAt(distance, factors);
    after += distanceAt(distance, solved);
  }
  return { steps: 0, resumedAt: 0, losses: [before / all.constant, after / all.constant] };
}
