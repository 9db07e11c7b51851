import { at, type Checkpoint, UnsupportedError, UsageError } from "@isthmus/core";
import { type MergePlan, mergeByPlan } from "@isthmus/merging";
import type { OpenedRecipe } from "@isthmus/recipe";
import { affineTensors } from "./affine-methods.ts";
import { type BoundTask, bindTask, type TunedTask } from "./bind-task.ts";
import { type CoefficientGroup, groupCoefficients } from "./coefficient-groups.ts";
import { effectiveInto } from "./effective-weights.ts";
import {
  createMergedNetwork,
  type Direction,
  type MergedNetwork,
  openDirections,
} from "./open-directions.ts";
import type { WeightedModel } from "./recipe-weights.ts";
import type { TuneMergeRules } from "./tune-merge-options.ts";

/** A merge whose weights are learned, in memory. */
export interface OpenedTuning {
  /** Parts of the merge with weights of their own. */
  readonly groups: readonly CoefficientGroup[];
  /** Parts that tensors are made of, by the names of the tensors. */
  readonly directions: ReadonlyMap<string, Direction>;
  /** The merged network in memory, which follows the weights. */
  readonly merged: MergedNetwork;
  /** Data sets with their graphs. */
  readonly bound: readonly BoundTask[];
  /** Names of merged tensors that no graph reads. */
  readonly unreached: readonly string[];
}

/** Reads the networks of a merge, and binds the graphs of its tasks. */
export async function openTuning(
  { plan, adapter }: OpenedRecipe,
  {
    by,
    weighted,
    tasks,
    signal,
  }: {
    readonly by: Required<TuneMergeRules>["by"];
    readonly weighted: readonly WeightedModel[];
    readonly tasks: readonly TunedTask[];
    readonly signal: AbortSignal | undefined;
  },
): Promise<OpenedTuning> {
  if (adapter !== undefined) {
    throw new UnsupportedError(
      "Cannot learn weights of a merge of adapters as networks must be merged: name a model with each adapter, such as model+adapter",
      { feature: "coefficients of adapters" },
    );
  }
  const tensors = affineTensors(plan);
  const groups = groupCoefficients(tensors, by);
  const directions = await openDirections(plan, tensors, weighted.length);
  const merged = await createMergedNetwork(mergeByPlan(plan), directions, groups);
  const factors = Float64Array.from(groups.flatMap((group) => group.start));
  effectiveInto(groups, factors.slice(), factors);
  merged.place(factors);
  const networks = networksOf(plan, weighted.length);
  const bound: BoundTask[] = [];
  for (const task of tasks) bound.push(await bindTask(task, merged, networks, signal));
  const read = new Set(
    bound.flatMap(({ architecture, stored }) =>
      [...architecture.graph.weights.keys()].map((name) => stored.get(name)),
    ),
  );
  const unreached = [...directions.keys()].filter((name) => !read.has(name));
  return { groups, directions, merged, bound, unreached };
}

/** Returns the networks with a weight, in the order of the recipe, then the base if there is one. */
function networksOf({ networks, tensors }: MergePlan, models: number): readonly Checkpoint[] {
  const planned = [...tensors.values()].find(
    ({ sources, method }) => method !== undefined && sources.length === models,
  );
  if (planned === undefined) {
    throw new UsageError(
      `Cannot learn weights as each of the ${models} networks must have every tensor: write missing: error in the recipe`,
    );
  }
  const places = [...planned.sources, ...(planned.base === undefined ? [] : [planned.base])];
  return places.map(({ network }) => at(networks, network, "network"));
}

/** @throws UsageError if the objective needs an expert for each data set, and their numbers do not fit */
export function assertTasks(
  tasks: readonly TunedTask[],
  weighted: readonly WeightedModel[],
  objective: Required<TuneMergeRules>["objective"],
): void {
  if (tasks.length === 0)
    throw new UsageError("Cannot learn the weights of a merge as there must be data: there are none");
  const needsExpert = objective === "distillation" || objective === "output-space";
  const isOpen = tasks.length > 1 && tasks.some(({ expert }) => expert === undefined);
  if (!needsExpert || !isOpen || tasks.length === weighted.length) return;
  throw new UsageError(
    `Cannot learn by ${objective} as each network must have data of its own: there are ${weighted.length} networks (${weighted.map(({ name }) => name).join(", ")}) and ${tasks.length} data sets; say of which network data are, such as --data ${at(weighted, 0).name}=mnist`,
  );
}

/**
 * Lists the experts of a task: the one that is named, the one at the place of the task, or all for a single
 * task.
 */
export function expertsOf(tasks: readonly TunedTask[], place: number, models: number): readonly number[] {
  const { expert } = at(tasks, place, "task");
  if (expert !== undefined) return [expert];
  return tasks.length === 1 ? Array.from({ length: models }, (_, k) => k) : [place];
}
