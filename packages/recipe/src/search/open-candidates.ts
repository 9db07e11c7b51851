import { type Checkpoint, entry, isIsthmusError } from "@isthmus/core";
import { type MergePlan, mergeByPlan, openMergeProducts } from "@isthmus/merging";
import { checkRecipe, groupRecipe, keyOf, listGroups } from "../plan/groups.ts";
import { rememberAlignments } from "../plan/open-inputs.ts";
import { planChecked } from "../plan/plan-recipe.ts";
import { isNested } from "../read/parse-recipe.ts";
import { findChoice } from "../recipe/choices.ts";
import type { ModelReference, Recipe } from "../recipe/recipe.ts";
import { listReferences } from "../run/list-references.ts";
import { type OpenRecipeOptions, openNestedModels } from "../run/open-recipe.ts";
import { openReference } from "../run/open-reference.ts";
import { type PreparedModels, prepareModels } from "../run/prepare-models.ts";
import { readMethods } from "../run/read-methods.ts";

/** A merge that a search tries. */
export interface MergeCandidate {
  /** Recipe with numbers in place of its ranges. */
  readonly recipe: Recipe;
  /** Plan of the merge, tensor by tensor. */
  readonly plan: MergePlan;
  /** Networks of the recipe as they were made to fit each other, for files beside the weights. */
  readonly models: PreparedModels;
  /** Merged network, each tensor of which is computed when it is read. */
  readonly network: Checkpoint;
}

/** Returns the score of a merged network; NaN counts as the worst. */
export type JudgeMerge = (candidate: MergeCandidate, signal: AbortSignal | undefined) => Promise<number>;

/** Options of {@link openCandidates}. */
export interface OpenCandidatesOptions extends OpenRecipeOptions {
  /** Judges a merged network: returns its score. */
  readonly judge: JudgeMerge;
}

/** The networks of a recipe with ranges, opened to merge and to judge any number of candidates. */
export interface OpenedCandidates {
  /** Plans the recipe with values in place of its marks, and judges nothing; throws errors of planning. */
  check(filled: Recipe): Promise<void>;
  /**
   * Merges and judges the recipe with values in place of its marks. Chosen options that cannot be merged
   * together have the score NaN, and are warned of.
   */
  judge(filled: Recipe, signal: AbortSignal | undefined): Promise<number>;
  /** Closes the networks; no candidate can be judged afterwards. */
  close(): Promise<void>;
}

/**
 * Opens the networks of a recipe with ranges once for all candidates; they are aligned once, too, when the
 * first candidate is judged.
 * @throws the same errors as `openRecipe`
 */
export async function openCandidates(
  recipe: Recipe,
  options: OpenCandidatesOptions,
): Promise<OpenedCandidates> {
  const { judge, open = openReference, seed = 0, methodFiles = [], productsModule } = options;
  const methods = await readMethods(methodFiles, options.methods);
  const opened: Checkpoint[] = [];
  const products = productsModule === undefined ? undefined : await openMergeProducts(productsModule, 0);
  const openAndKeep = async (reference: ModelReference) => {
    const network = await open(reference);
    opened.push(network);
    return network;
  };
  const close = async () => {
    await products?.release();
    for (const network of opened) await network.close();
  };
  try {
    const chooses = findChoice(recipe) !== undefined;
    const planOne = await createPlanner(recipe, { ...options, methods, seed, open: openAndKeep });
    return {
      async check(filled) {
        await planOne(filled);
      },
      async judge(filled, signal) {
        const planned = await planOne(filled).catch((error: unknown) => {
          if (!(chooses && isUnfit(error))) throw error;
          options.onWarning?.(`a merge counts as the worst, as its options do not fit: ${error.message}`);
        });
        if (planned === undefined) return Number.NaN;
        const plan = { ...planned.plan, products };
        const models = planned.models();
        return judge({ recipe: filled, plan, models, network: mergeByPlan(plan) }, signal);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Plan of a candidate, and its models as they were prepared. */
interface PlannedCandidate {
  readonly plan: MergePlan;
  readonly models: () => PreparedModels;
}

/** Options of {@link createPlanner}. */
interface PlannerOptions extends Pick<OpenCandidatesOptions, "align" | "strict" | "onWarning"> {
  readonly seed: number;
  readonly open: (reference: ModelReference) => Promise<Checkpoint>;
  readonly methods: Awaited<ReturnType<typeof readMethods>>;
}

/** Creates a function that plans candidates, which share what does not depend on the candidate. */
async function createPlanner(
  recipe: Recipe,
  { methods, seed, open, align, ...options }: PlannerOptions,
): Promise<(filled: Recipe) => Promise<PlannedCandidate>> {
  // Choices of networks, and recipes inside, which may have ranges, let prepared models depend on the
  // candidate.
  const chooses = findChoice(recipe) !== undefined;
  const isShared = !chooses && !namesRecipes(recipe);
  // What has no effect with one option may have an effect with another.
  const strict = options.strict && !chooses;
  const openNested = async () => undefined;
  const shared = isShared
    ? await prepareModels(groupRecipe(recipe, { strict }), { open, openNested })
    : undefined;
  const openOnce = remember(open, keyOf);
  const planning = { methods, seed, open: openOnce, align: align && rememberAlignments(align) };
  // All candidates have the same warnings.
  let onWarning = chooses ? undefined : options.onWarning;
  return async (filled) => {
    const prepared = new Map<Recipe, PreparedModels>();
    const strictness = { strict, onWarning };
    const planned = planChecked(checkRecipe(filled, strictness), {
      ...planning,
      ...strictness,
      async prepare(part, planNested) {
        const openNestedHere = openNestedModels(planNested, prepared);
        const models = shared ?? (await prepareModels(part, { open: openOnce, openNested: openNestedHere }));
        prepared.set(part.recipe, models);
        return models.networks;
      },
    });
    onWarning = undefined;
    return { plan: await planned, models: () => entry(prepared, filled, "recipe") };
  };
}

/** Checks whether an error says that options of a recipe do not fit each other. */
function isUnfit(error: unknown): error is Error {
  return isIsthmusError(error, "InputError") || isIsthmusError(error, "MismatchError");
}

function namesRecipes(recipe: Recipe): boolean {
  return listReferences(listGroups(recipe)).some(({ reference }) => isNested(reference));
}

/** Calls a function once for arguments of the same key. */
function remember<A extends readonly unknown[], T>(
  work: (...parts: A) => Promise<T>,
  key: (...parts: A) => string,
): (...parts: A) => Promise<T> {
  const results = new Map<string, Promise<T>>();
  return (...parts) => {
    const result = results.get(key(...parts)) ?? work(...parts);
    results.set(key(...parts), result);
    return result;
  };
}
