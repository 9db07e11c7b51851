import { type Checkpoint, entry, UsageError } from "@isthmus/core";
import { type MergeMethod, type MergePlan, mergeByPlan, type PlannedTensor } from "@isthmus/merging";
import { assertRecipe } from "../recipe/assert-recipe.ts";
import type { Path, Problem, StrictnessOptions } from "../recipe/problem.ts";
import type { ModelReference, Recipe } from "../recipe/recipe.ts";
import { rejectRecipe } from "../recipe/reject.ts";
import { type Level, listBranches } from "../settings/level.ts";
import { SettingsReader } from "../settings/settings-reader.ts";
import { findAlignProblems } from "./align-setting.ts";
import { findSettingProblems, listEffectiveLevels } from "./check-settings.ts";
import { findMeasurementProblems } from "./find-measurement-problems.ts";
import { findMethod, RECIPE_METHODS } from "./find-method.ts";
import { PartFinder } from "./find-parts.ts";
import { countGgufLayers } from "./gguf-layers.ts";
import { keyOf, listGroups } from "./groups.ts";
import { readNestedRecipes } from "./nested-recipes.ts";
import { type Inputs, type OpenOptions, openInputs } from "./open-inputs.ts";
import { placeTensors, templateOf } from "./place-tensors.ts";
import { copy, type Planning, planTensor } from "./plan-tensor.ts";
import { assignRoles, findTwins, type RoledGroup } from "./roles.ts";

/** A recipe that another recipe names as a model, and the network that it makes. */
export interface NestedNetwork {
  /** Recipe that the reference names. */
  readonly recipe: Recipe;
  /** Network that the recipe makes; its tensors are computed when they are read. */
  readonly network: Checkpoint;
}

/** Options of {@link planRecipe}. */
export interface PlanRecipeOptions extends OpenOptions, StrictnessOptions {
  /** Methods by name. @defaultValue all methods of `@isthmus/merging` */
  readonly methods?: ReadonlyMap<string, MergeMethod>;
  /** Seed of methods that draw random numbers, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Opens the networks of a recipe and makes them fit each other; returns them by the keys of their
   * references. It is called after form and settings of a recipe were checked, also for recipes within it.
   * `planNested` plans the recipe of a reference, which is prepared first; it returns undefined for a
   * reference to a network.
   * @defaultValue networks are opened by `open`, unchanged
   */
  readonly prepare?:
    | ((
        recipe: Recipe,
        planNested: (reference: ModelReference) => Promise<NestedNetwork | undefined>,
      ) => Promise<ReadonlyMap<string, Checkpoint>>)
    | undefined;
}

/**
 * Plans the merge that a recipe describes, tensor by tensor; only the headers of networks are read. The plan
 * reads from the networks that `open` returned, which the caller closes.
 *
 * `onWarning` is called with the parts of the recipe that have no effect.
 * @throws InputError if something in the recipe is wrong; the message names places in it
 * @throws MismatchError if tensors that are merged are missing or of other shapes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { mergeByPlan } from "@isthmus/merging";
 * import { parseRecipe, planRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe("merge_method: linear\nmodels: [{ model: '1' }, { model: '5' }]");
 * const open = async (name: unknown) =>
 *   createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(Number(name))) });
 * const merged = mergeByPlan(await planRecipe(recipe, { open }));
 * assert.deepEqual((await merged.read("w")).data, Float32Array.of(3));
 * ```
 */
export async function planRecipe(recipe: Recipe, options: PlanRecipeOptions): Promise<MergePlan> {
  assertRecipe(recipe, options);
  const { recipeOf } = await readNestedRecipes(recipe, options);
  const planned = new Map<Recipe, Promise<Checkpoint>>();
  const planNested = async (reference: ModelReference): Promise<NestedNetwork | undefined> => {
    const nested = recipeOf(reference);
    if (nested === undefined) return undefined;
    const network = planned.get(nested) ?? planOne(nested, options, planNested).then(mergeByPlan);
    planned.set(nested, network);
    return { recipe: nested, network: await network };
  };
  return planOne(recipe, options, planNested);
}

/** Plans a recipe; `planNested` plans the recipes within it. */
async function planOne(
  recipe: Recipe,
  options: PlanRecipeOptions,
  planNested: (reference: ModelReference) => Promise<NestedNetwork | undefined>,
): Promise<MergePlan> {
  const { methods = RECIPE_METHODS, seed = 0, align } = options;
  const method = findMethod(recipe, methods);
  const groups = assignAllRoles(recipe, method);
  const problems = groups.flatMap((group) => [
    ...findAlignProblems(group),
    ...findMeasurementProblems(group, method),
    ...findSettingProblems(group, method, methods),
    ...findTwins(group),
  ]);
  rejectRecipe(
    recipe,
    "Cannot plan the recipe as its settings must have an effect",
    unique(problems),
    options,
  );
  const prepared = await options.prepare?.(recipe, planNested);
  const open = async (reference: ModelReference) =>
    prepared?.get(keyOf(reference)) ?? (await planNested(reference))?.network ?? options.open(reference);
  const inputs = await openInputs(recipe, groups, { open, align, needs: method.needs });
  const planning = { recipe, method, reader: new SettingsReader(), strictness: options };
  const tensors = planTensors(groups, inputs, planning);
  const [first, ...others] = inputs.networks;
  if (first === undefined)
    throw new UsageError("Cannot plan the recipe as it must name a network: it has none");
  return {
    source: `${method.name}(${inputs.networks.map(({ source }) => source).join(", ")})`,
    networks: [first, ...others],
    tensors,
    seed,
    metadata: countGgufLayers(templateOf(groups, inputs).network.metadata, tensors.keys()),
  };
}

function assignAllRoles(recipe: Recipe, method: MergeMethod): readonly RoledGroup[] {
  const results = listGroups(recipe).map((group) => assignRoles(group, method));
  const problems = results.flatMap((result) => ("problem" in result ? [result.problem] : []));
  rejectRecipe(recipe, "Cannot plan the recipe as its networks must fit the method", unique(problems));
  return results.flatMap((result) => ("group" in result ? [result.group] : []));
}

function planTensors(
  groups: readonly RoledGroup[],
  inputs: Inputs,
  planning: Planning,
): ReadonlyMap<string, PlannedTensor> {
  const { recipe } = planning;
  const finder = new PartFinder(recipe);
  const tensors = new Map<string, PlannedTensor>();
  for (const place of placeTensors(recipe, groups, inputs)) {
    if ("copied" in place) {
      const { output: tensor, copied: input } = place;
      const part = { input, tensor, info: entry(input.network.tensors, tensor, "tensor") };
      tensors.set(tensor, copy(recipe, part, "no module of the recipe has it"));
      continue;
    }
    const parts = finder.find(place);
    if (parts !== undefined) tensors.set(place.output, planTensor(place, parts, planning));
  }
  finder.assertAll();
  assertMeasured(recipe, inputs, tensors);
  assertEffects(groups, inputs, planning);
  return tensors;
}

/** @throws InputError if a file of statistics has no tensor of its network */
function assertMeasured(
  recipe: Recipe,
  { inputs }: Inputs,
  tensors: ReadonlyMap<string, PlannedTensor>,
): void {
  const used = new Set(
    [...tensors.values()].flatMap(({ measured = [] }) => measured.map(({ network }) => network)),
  );
  const problems = inputs.flatMap(({ measured, network }): readonly Problem[] => {
    if (measured === undefined || used.has(measured.index)) return [];
    const [example] = network.tensors.keys();
    const [other] = measured.checkpoint.tensors.keys();
    const text = `must have tensors named as in the network, such as "${example}": it has "${other}"`;
    return [{ path: measured.path, text }];
  });
  rejectRecipe(recipe, "Cannot plan the recipe as what was measured must be of its networks", problems);
}

/**
 * Checks that filters and values of gradients have an effect, and that a strict recipe has filters.
 * @throws InputError if one has no effect and is not tolerated
 */
function assertEffects(
  groups: readonly RoledGroup[],
  inputs: Inputs,
  { recipe, method, reader, strictness }: Planning,
): void {
  const levels = listEffectiveLevels(groups, method);
  const problems = [...reader.findIdleFilters(levels), ...findLongGradients(levels, groups, inputs)];
  rejectRecipe(recipe, "Cannot plan the recipe as its settings must have an effect", problems, strictness);
  const hasFilters = levels.some(({ settings }) =>
    Object.values(settings).some((setting) =>
      listBranches(setting, []).some(({ isConditional }) => isConditional),
    ),
  );
  if (!recipe.strict || hasFilters) return;
  rejectRecipe(recipe, "Cannot plan the recipe as its settings must have an effect", [
    {
      path: ["strict"],
      text: "copies what no filter names, and there is no filter: write filters, or leave it out",
    },
  ]);
}

/** Lists gradients with more values than any layers that they run along. */
function findLongGradients(
  levels: readonly Level[],
  groups: readonly RoledGroup[],
  inputs: Inputs,
): readonly Problem[] {
  const counts = groups.flatMap(({ networks, isSlice }) =>
    networks.flatMap((member) => {
      if (isSlice && member.range !== undefined) return [member.range[1] - member.range[0]];
      return inputs.inputOf(member).layout.runs.map(({ count }) => count);
    }),
  );
  const most = Math.max(1, ...counts);
  return levels.flatMap(({ settings, path }) =>
    Object.entries(settings).flatMap(([name, setting]) =>
      listBranches(setting, [...path, name]).flatMap(({ value, path: at }): readonly Problem[] => {
        if (!Array.isArray(value) || value.length <= most) return [];
        return [
          {
            path: at,
            text: `has ${value.length} values along at most ${most} layers, so that some never count: give at most ${most}`,
            tolerated: "long gradient",
          },
        ];
      }),
    ),
  );
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  return [
    ...new Map(problems.map((problem) => [`${formatKey(problem.path)} ${problem.text}`, problem])).values(),
  ];
}

function formatKey(path: Path): string {
  return path.join("\n");
}
