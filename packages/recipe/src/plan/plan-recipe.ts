import { type Checkpoint, entry, InvariantError } from "@isthmus/core";
import { type MergeMethod, type MergePlan, mergeByPlan, type PlannedTensor } from "@isthmus/merging";
import type { RecipePlaces } from "../recipe/places.ts";
import type { Path, Problem, StrictnessOptions } from "../recipe/problem.ts";
import type { ModelReference, Recipe } from "../recipe/recipe.ts";
import { SettingsReader } from "../settings/settings-reader.ts";
import { findAlignProblems } from "./align-setting.ts";
import { findIdleSettings, findSettingProblems } from "./check-settings.ts";
import { findMeasurementProblems } from "./find-measurement-problems.ts";
import { findMethod, RECIPE_METHODS } from "./find-method.ts";
import { PartFinder } from "./find-parts.ts";
import { countGgufLayers } from "./gguf-layers.ts";
import { describeGgufOrigin } from "./gguf-origin.ts";
import { type CheckedRecipe, checkRecipe, type Group, keyOf } from "./groups.ts";
import { readNestedRecipes } from "./nested-recipes.ts";
import { type Inputs, type OpenOptions, openInputs } from "./open-inputs.ts";
import { placeTensors } from "./place-tensors.ts";
import { copy, type Planning, planTensor } from "./plan-tensor.ts";
import { assignRoles, findFew, findTwins, type RoledGroup } from "./roles.ts";

/** A recipe that another recipe names as a model, and the network that it makes. */
export interface NestedNetwork {
  /** Recipe that makes the network. */
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
}

/**
 * Plans the recipe of a reference, whose networks are prepared first; returns undefined for a reference to a
 * network.
 */
export type PlanNested = (reference: ModelReference) => Promise<NestedNetwork | undefined>;

/** Options of {@link planChecked}. */
export interface PlanCheckedOptions extends PlanRecipeOptions {
  /**
   * Opens the networks of a recipe and makes them fit each other; returns them by the keys of their
   * references. It is called after the settings of a recipe were checked, also for recipes within it.
   * @defaultValue networks are opened by `open`, unchanged
   */
  readonly prepare?:
    | ((recipe: CheckedRecipe, planNested: PlanNested) => Promise<ReadonlyMap<string, Checkpoint>>)
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
  return planChecked(checkRecipe(recipe, options), options);
}

/** Plans the merge that a checked recipe describes, see {@link planRecipe}. */
export async function planChecked(checked: CheckedRecipe, options: PlanCheckedOptions): Promise<MergePlan> {
  const { recipeOf } = await readNestedRecipes(checked, options);
  const planned = new Map<CheckedRecipe, Promise<Checkpoint>>();
  const planNested: PlanNested = async (reference) => {
    const nested = recipeOf(reference);
    if (nested === undefined) return undefined;
    const network = planned.get(nested) ?? planOne(nested, options, planNested).then(mergeByPlan);
    planned.set(nested, network);
    return { recipe: nested.recipe, network: await network };
  };
  return planOne(checked, options, planNested);
}

/** Plans a recipe; `planNested` plans the recipes within it. */
async function planOne(
  checked: CheckedRecipe,
  options: PlanCheckedOptions,
  planNested: PlanNested,
): Promise<MergePlan> {
  const { methods = RECIPE_METHODS, seed = 0, align } = options;
  const { recipe, places } = checked;
  const method = findMethod(recipe.merge_method, methods, places);
  const groups = assignAllRoles(checked.groups, method, places);
  const problems = groups.flatMap((group) => [
    ...findAlignProblems(group),
    ...findMeasurementProblems(group, method),
    ...findSettingProblems(group, method, methods),
    ...findTwins(group),
    ...findFew(group, method),
  ]);
  places.reject("Cannot plan the recipe as its settings must have an effect", unique(problems));
  const prepared = await options.prepare?.(checked, planNested);
  const open = async (reference: ModelReference) =>
    prepared?.get(keyOf(reference)) ?? (await planNested(reference))?.network ?? options.open(reference);
  const inputs = await openInputs(places, groups, { open, align, needs: method.needs });
  const planning = { recipe, places, method, reader: new SettingsReader() };
  const tensors = planTensors(groups, inputs, planning);
  const [first, ...others] = inputs.networks;
  if (first === undefined) throw new InvariantError("No network was opened for a recipe with groups");
  return {
    source: `${method.name}(${inputs.networks.map(({ source }) => source).join(", ")})`,
    networks: [first, ...others],
    tensors,
    seed,
    metadata: describeGgufOrigin(
      countGgufLayers(inputs.template.network.metadata, tensors.keys()),
      inputs.networks,
    ),
  };
}

function assignAllRoles(
  groups: readonly Group[],
  method: MergeMethod,
  places: RecipePlaces,
): readonly RoledGroup[] {
  const results = groups.map((group) => assignRoles(group, method));
  const problems = results.flatMap((result) => ("problem" in result ? [result.problem] : []));
  places.reject("Cannot plan the recipe as its networks must fit the method", unique(problems));
  return results.flatMap((result) => ("group" in result ? [result.group] : []));
}

function planTensors(
  groups: readonly RoledGroup[],
  inputs: Inputs,
  planning: Planning,
): ReadonlyMap<string, PlannedTensor> {
  const { recipe, places } = planning;
  const finder = new PartFinder(recipe);
  const tensors = new Map<string, PlannedTensor>();
  for (const place of placeTensors(groups, inputs, places)) {
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
  assertMeasured(inputs, tensors, places);
  places.reject(
    "Cannot plan the recipe as its settings must have an effect",
    findIdleSettings(groups, inputs, planning),
  );
  return tensors;
}

/** @throws InputError if a file of statistics has no tensor of its network */
function assertMeasured(
  { inputs }: Inputs,
  tensors: ReadonlyMap<string, PlannedTensor>,
  places: RecipePlaces,
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
  places.reject("Cannot plan the recipe as what was measured must be of its networks", problems);
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  return [
    ...new Map(problems.map((problem) => [`${formatKey(problem.path)} ${problem.text}`, problem])).values(),
  ];
}

function formatKey(path: Path): string {
  return path.join("\n");
}
