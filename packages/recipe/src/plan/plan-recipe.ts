import { resolve } from "node:path";
import { type Checkpoint, entry, InputError, UsageError } from "@isthmus/core";
import { type MergeMethod, type MergePlan, mergeByPlan, type PlannedTensor } from "@isthmus/merging";
import { isRecipeFile, readRecipe } from "../read/parse-recipe.ts";
import { assertRecipe } from "../recipe/assert-recipe.ts";
import { isRecipe, type ModelReference, type Recipe } from "../recipe/recipe.ts";
import { rejectRecipe } from "../recipe/reject.ts";
import type { Path, Problem } from "../recipe/shape.ts";
import { type Level, listBranches } from "../settings/level.ts";
import { SettingsReader } from "../settings/settings-reader.ts";
import { findAlignProblems } from "./align-setting.ts";
import { findSettingProblems } from "./check-settings.ts";
import { findMeasurementProblems } from "./find-measurement-problems.ts";
import { findMethod, RECIPE_METHODS } from "./find-method.ts";
import { PartFinder } from "./find-parts.ts";
import { countGgufLayers } from "./gguf-layers.ts";
import { keyOf, listGroups } from "./groups.ts";
import { type Inputs, type OpenOptions, openInputs } from "./open-inputs.ts";
import { placeTensors, templateOf } from "./place-tensors.ts";
import { copy, type Planning, planTensor } from "./plan-tensor.ts";
import { assignRoles, type RoledGroup } from "./roles.ts";

/** Options of {@link planRecipe}. */
export interface PlanRecipeOptions extends OpenOptions {
  /** Methods by name. @defaultValue all methods of `@isthmus/merging` */
  readonly methods?: ReadonlyMap<string, MergeMethod>;
  /** Seed of methods that draw random numbers, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Opens the networks of a recipe that are no recipes, and makes them fit each other, by the keys of their
   * references; it is called once its form and settings are found right, for recipes inside it, too.
   * @defaultValue networks are opened as they are
   */
  readonly prepare?: ((recipe: Recipe) => Promise<ReadonlyMap<string, Checkpoint>>) | undefined;
}

/**
 * Plans the merge that a recipe describes, tensor by tensor; only the headers of networks are read. The plan
 * reads from the networks that `open` returned, which the caller closes.
 *
 * @throws InputError if something in the recipe is wrong or has no effect; the message names places in it
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
  return planInside(recipe, options, []);
}

/** Plans a recipe that files of recipes need, by their paths. */
async function planInside(
  recipe: Recipe,
  options: PlanRecipeOptions,
  within: readonly string[],
): Promise<MergePlan> {
  assertRecipe(recipe);
  const { methods = RECIPE_METHODS, seed = 0, align } = options;
  const method = findMethod(recipe, methods);
  const groups = assignAllRoles(recipe, method);
  const problems = groups.flatMap((group) => [
    ...findAlignProblems(group),
    ...findMeasurementProblems(group, method),
    ...findSettingProblems(group, method, methods),
  ]);
  rejectRecipe(recipe, "Cannot plan the recipe as its settings must have an effect", unique(problems));
  const prepared = await options.prepare?.(recipe);
  const open = async (reference: ModelReference) =>
    prepared?.get(keyOf(reference)) ?? openNested(reference, options, within);
  const inputs = await openInputs(recipe, groups, { open, align, needs: method.needs });
  const tensors = planTensors(groups, inputs, { recipe, method, reader: new SettingsReader() });
  const [first, ...others] = inputs.networks;
  if (first === undefined)
    throw new UsageError("Cannot plan the recipe as it must name a network: it has none");
  return {
    source: `${method.name}(${inputs.networks.map(({ source }) => source).join(", ")})`,
    networks: [first, ...others],
    ...{ tensors, seed },
    metadata: countGgufLayers(templateOf(groups, inputs).network.metadata, tensors.keys()),
  };
}

async function openNested(
  reference: ModelReference,
  options: PlanRecipeOptions,
  within: readonly string[],
): Promise<Checkpoint> {
  if (isRecipe(reference)) return mergeByPlan(await planInside(reference, options, within));
  if (typeof reference !== "string" || !isRecipeFile(reference)) return options.open(reference);
  const path = resolve(reference);
  if (within.includes(path)) {
    throw new InputError(`Cannot plan the recipe "${reference}" as it must not need itself: it does`, {
      input: reference,
    });
  }
  return mergeByPlan(await planInside(await readRecipe(path), options, [...within, path]));
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

/** @throws InputError if a file of what was measured of a network has nothing of it */
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
 * @throws InputError if a filter or a value of a gradient changes nothing, or a strict recipe has no filters
 */
function assertEffects(groups: readonly RoledGroup[], inputs: Inputs, { recipe, reader }: Planning): void {
  const levels = listLevels(groups);
  const problems = [...reader.findIdleFilters(levels), ...findLongGradients(levels, groups, inputs)];
  rejectRecipe(recipe, "Cannot plan the recipe as its settings must have an effect", problems);
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
          },
        ];
      }),
    ),
  );
}

/** Lists the settings of all groups, each once. */
function listLevels(groups: readonly RoledGroup[]): readonly Level[] {
  const all = groups.flatMap(({ levels, networks }) => [
    ...levels,
    ...networks.flatMap((member) => member.levels),
  ]);
  return [...new Map(all.map((level) => [formatKey(level.path), level])).values()];
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  return [
    ...new Map(problems.map((problem) => [`${formatKey(problem.path)} ${problem.text}`, problem])).values(),
  ];
}

function formatKey(path: Path): string {
  return path.join("\n");
}
