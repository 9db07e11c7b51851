import type { MergeStatistic } from "@isthmus/merging";
import { isNested } from "../read/parse-recipe.ts";
import { assertForm } from "../recipe/assert-recipe.ts";
import { findChoice } from "../recipe/choices.ts";
import { placesOf, type RecipePlaces } from "../recipe/places.ts";
import type { Path, StrictnessOptions } from "../recipe/problem.ts";
import {
  type AlignSetting,
  isRecipe,
  type ModelReference,
  type Recipe,
  type RecipeModel,
  type RecipeSlice,
  type RecipeSource,
  type Settings,
} from "../recipe/recipe.ts";
import type { Level } from "../settings/level.ts";

/** A network at one place of a recipe. */
export interface Member {
  /** Reference to the network, as in the recipe. */
  readonly reference: ModelReference;
  /** Setting of alignment; undefined if the recipe does not set it. */
  readonly align: boolean | "universe" | AlignSetting | undefined;
  /** Place in the recipe that names the network. */
  readonly path: Path;
  /** Settings of this network alone. */
  readonly levels: readonly Level[];
  /** Files with statistics of the network's data, by kind. */
  readonly measured: Readonly<Partial<Record<MergeStatistic, string>>>;
  /** Range of layers that are taken; all layers if undefined. */
  readonly range: readonly [begin: number, end: number] | undefined;
}

/** Networks that are merged with each other: whole ones, or the sources of a slice. */
export interface Group {
  /** Place of the group in the recipe; empty for the top level. */
  readonly path: Path;
  /** Name of the part of the networks, as in the recipe; all parts if undefined. */
  readonly module: string | undefined;
  /** Networks of the group, in the order of the recipe. */
  readonly members: readonly Member[];
  /** Base that the members were fine-tuned from; undefined if the recipe names none. */
  readonly base: Member | undefined;
  /** Settings of all members, nearest first. */
  readonly levels: readonly Level[];
  /** Whether the group is a slice, which stacks layers, instead of whole networks. */
  readonly isSlice: boolean;
}

/** A recipe whose form was checked, with its groups. */
export interface CheckedRecipe {
  /** Recipe of the right form. */
  readonly recipe: Recipe;
  /** Groups of the recipe, slices in its order. */
  readonly groups: readonly Group[];
  /**
   * Whether a network of the recipe, or of a recipe within it, is aligned. A recipe in a file counts as
   * aligned, because it is not read here.
   */
  readonly isAligned: boolean;
  /** Places of the recipe, by which problems with it are reported. */
  readonly places: RecipePlaces;
}

/**
 * Checks the form of a recipe, and lists its groups.
 * @throws InputError if the form is wrong; the message lists every problem
 */
export function checkRecipe(recipe: Recipe, strictness: StrictnessOptions): CheckedRecipe {
  const places = placesOf(recipe, strictness);
  assertForm(recipe, places);
  const choice = findChoice(recipe);
  if (choice !== undefined) {
    const text = "is to be chosen: run isthmus search, or write one of its options";
    places.reject("Cannot merge by a recipe as all of it must be given", [{ path: choice, text }]);
  }
  return withGroups(recipe, places);
}

/** Lists the groups of a recipe whose form was checked, such as one that stands inside a checked recipe. */
export function groupRecipe(recipe: Recipe, strictness: StrictnessOptions): CheckedRecipe {
  return withGroups(recipe, placesOf(recipe, strictness));
}

function withGroups(recipe: Recipe, places: RecipePlaces): CheckedRecipe {
  const groups = listGroups(recipe);
  return { recipe, groups, places, isAligned: hasAligned(groups) };
}

function hasAligned(groups: readonly Group[]): boolean {
  return groups
    .flatMap(({ members }) => members)
    .some(({ align, reference }) => {
      if (align) return true;
      return isRecipe(reference) ? hasAligned(listGroups(reference)) : isNested(reference);
    });
}

/** Lists the groups of a recipe, slices in the order of the recipe. */
export function listGroups(recipe: Recipe): readonly Group[] {
  const { modules } = recipe;
  if (modules === undefined) return groupsOf(recipe, { recipe, path: [], module: undefined, levels: [] });
  return Object.entries(modules).flatMap(([module, part]) => {
    const path = ["modules", module];
    return groupsOf(part, { recipe, path, module, levels: levelsOf(part.parameters, path) });
  });
}

interface Around {
  readonly recipe: Recipe;
  readonly path: Path;
  readonly module: string | undefined;
  /** Settings of the module. */
  readonly levels: readonly Level[];
}

function groupsOf(
  { models, slices = [] }: Pick<Recipe, "models" | "slices">,
  { recipe, path, module, levels }: Around,
): readonly Group[] {
  const outer = [...levels, ...levelsOf(recipe.parameters, [])];
  const base = memberOf(recipe.base_model, ["base_model"]);
  if (models !== undefined) {
    const members = models.map((model, i) => listMember(model, [...path, "models", i]));
    return [{ path, module, members, base, levels: outer, isSlice: false }];
  }
  return slices.map((slice: RecipeSlice, i): Group => {
    const at = [...path, "slices", i];
    return {
      path: at,
      module,
      isSlice: true,
      members: slice.sources.map((source, j) => listMember(source, [...at, "sources", j])),
      base: memberOf(slice.base_model, [...at, "base_model"]) ?? base,
      levels: [...levelsOf(slice.parameters, at), ...outer],
    };
  });
}

function listMember(input: RecipeModel | RecipeSource, path: Path): Member {
  const { model: reference, align, fisher, grams, parameters } = input;
  const measured = { ...(fisher !== undefined && { fisher }), ...(grams !== undefined && { grams }) };
  const range = "layer_range" in input ? input.layer_range : undefined;
  return { reference, align, measured, path, levels: levelsOf(parameters, path), range };
}

function memberOf(reference: ModelReference | undefined, path: Path): Member | undefined {
  return reference === undefined
    ? undefined
    : { reference, align: false, measured: {}, path, levels: [], range: undefined };
}

/** Lists the networks that a group names; its base comes last. */
export function namedIn({ members, base }: Group): readonly Member[] {
  return base === undefined ? members : [...members, base];
}

/** Makes the level of a place in a recipe; none if the place has no settings. */
function levelsOf(settings: Settings | undefined, path: Path): readonly Level[] {
  return settings === undefined ? [] : [{ settings, path: [...path, "parameters"] }];
}

/** Returns a key of a reference, which is equal for equal references. */
export function keyOf(reference: ModelReference): string {
  return JSON.stringify(reference);
}
