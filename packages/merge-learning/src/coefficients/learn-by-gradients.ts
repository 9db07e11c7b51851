import { at, entry } from "@isthmus/core";
import type { RunDescription } from "@isthmus/training";
import type { TunedTask } from "./bind-task.ts";
import { learnWeights } from "./learn-weights.ts";
import { type OpenedObjective, openObjective } from "./open-objective.ts";
import { expertsOf, type OpenedTuning } from "./open-tuning.ts";
import type { GradientObjective, TuneMergeOptions, TuneMergeRules } from "./tune-merge-options.ts";
import type { TuneMergeResult } from "./tune-merge-result.ts";
import { openTuningStore } from "./tuning-state.ts";

/** Options that decide the steps, and the weights that they start from. */
export type LearnByGradientsOptions = TuneMergeOptions &
  Required<Pick<TuneMergeRules, "steps" | "learningRate" | "batch" | "seed">> & {
    /** Objective that is minimised. */
    readonly objective: GradientObjective;
    /** Weights `[groups, models]`, which are overwritten. */
    readonly weights: Float64Array;
    /** Description of the tuning, for its state. */
    readonly run: RunDescription;
  };

/** Learns the weights of a merge by gradients through the merged network. */
export async function learnByGradients(
  { groups, directions, merged, bound }: OpenedTuning,
  tasks: readonly TunedTask[],
  options: LearnByGradientsOptions,
): Promise<Pick<TuneMergeResult, "steps" | "resumedAt" | "losses">> {
  const { objective, weights, steps, learningRate, batch, seed, bounds, sum, signal, onProgress } = options;
  const models = weights.length / groups.length;
  const opened: { readonly place: number; readonly judge: OpenedObjective }[] = [];
  try {
    for (const [place, task] of bound.entries()) {
      const learned = new Set(
        [...task.stored].flatMap(([name, stored]) => (directions.has(stored) ? [name] : [])),
      );
      const { data } = at(tasks, place, "task");
      const experts = objective === "distillation" ? expertsOf(tasks, place, models) : [undefined];
      for (const k of experts) {
        const expert = k === undefined ? undefined : at(task.experts, k, "expert");
        const { network } = task;
        const judged = { objective, data, network, expert, wanted: learned, batch, seed };
        opened.push({ place, judge: await openObjective(task.architecture, judged) });
      }
    }
    const arrays = {
      weights,
      mean: new Float64Array(weights.length),
      square: new Float64Array(weights.length),
    };
    const { statePath, resume = false, run } = options;
    const store = await openTuningStore(statePath, { resume, run, groups: groups.length }, arrays);
    const losses = await learnWeights(
      groups,
      arrays,
      async (factors, step, derivatives) => {
        merged.place(factors);
        let total = 0;
        for (const { place, judge } of opened) {
          const { stored, weights: tensorsOf } = at(bound, place, "task");
          const { loss, gradients } = await judge.step(tensorsOf(), step);
          total += loss;
          for (const [name, gradient] of gradients)
            merged.pullBackInto(entry(stored, name, "weight"), gradient, derivatives);
        }
        return total / opened.length;
      },
      {
        steps,
        learningRate,
        limits: { bounds, sum },
        store,
        signal,
        follow: (step, loss) =>
          onProgress?.({
            phase: "Learning",
            done: step / steps,
            step,
            loss,
            means: meansOf(weights, models),
          }),
      },
    );
    return { steps, resumedAt: store.start.step, losses };
  } finally {
    for (const { judge } of opened) await judge.release();
  }
}

/** Returns the mean weight of each network over all parts. */
function meansOf(weights: Float64Array, models: number): readonly number[] {
  const parts = weights.length / models;
  return Array.from({ length: models }, (_, k) => {
    let sum = 0;
    for (let i = k; i < weights.length; i += models) sum += at(weights, i);
    return sum / parts;
  });
}
