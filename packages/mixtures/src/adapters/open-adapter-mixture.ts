import { at, type DType, isIsthmusError, type MismatchError } from "@isthmus/core";
import { DEFAULT_RANK } from "@isthmus/merging";
import type { Path, Problem } from "@isthmus/recipe";
import type { DenseModel } from "../build/dense-model.ts";
import type { GatedExpert, GateMode } from "../build/gate-mode.ts";
import { findGateMode } from "../build/gate-modes.ts";
import { MIXTURE_RECIPE_DEFAULTS, type MixtureRecipe } from "../build/mixture-recipe.ts";
import { openDenseModel } from "../build/open-dense-model.ts";
import { findDtype, noteOtherBases } from "../build/open-mixture.ts";
import type { ReadMixtureRecipe } from "../build/read-mixture-recipe.ts";
import type { AdapterLayout } from "./adapter-layout.ts";
import { type AdapterExpert, openAdapterExpert } from "./open-adapter-expert.ts";
import { drawFeatures, type RandomFeatures } from "./random-features.ts";

/** An adapter of a mixture, with its place in the recipe, such as `moe.yml:4: experts[0]`. */
export interface PlacedAdapter extends AdapterExpert {
  /** Place of the expert in the recipe. */
  readonly place: string;
}

/** The base and the adapters of a recipe, checked against each other. */
export interface OpenedAdapterMixture {
  /** Form of the result. */
  readonly layout: AdapterLayout;
  /** Model that the adapters change. */
  readonly base: DenseModel;
  /** Experts, in the order of the router's rows. */
  readonly experts: readonly PlacedAdapter[];
  /** Number of adapters that change a token; undefined for all. */
  readonly active: number | undefined;
  /** First layer of the router; undefined if it is linear. */
  readonly features: RandomFeatures | undefined;
  /** Element type of the adapters in the result; undefined for their own. */
  readonly dtype: DType | undefined;
  /** Mode of the gates. */
  readonly gateMode: GateMode;
  /** Experts as the mode of the gates sees them. */
  readonly gated: readonly GatedExpert[];
  /** Seed of random gates. */
  readonly seed: number;
  /** Sentences for the user. */
  readonly notes: readonly string[];
  /** Closes the models. */
  close(): Promise<void>;
}

/**
 * Opens the base and the adapters of a recipe, and checks that they fit each other. Fine-tunes are compared
 * with the base, for which both are read once; of all else headers are read.
 * @throws InputError if a model cannot be opened, or the recipe has keys that the layout does not know; the
 *   message names the place in the recipe
 * @throws MismatchError if an expert does not fit the base
 * @throws UnsupportedError if the layout cannot carry a model
 */
export async function openAdapterMixture(
  { recipe, places }: ReadMixtureRecipe,
  layout: AdapterLayout,
  { seed = 0 }: { readonly seed?: number | undefined } = {},
): Promise<OpenedAdapterMixture> {
  const gateMode = findGateMode(recipe.gate_mode ?? MIXTURE_RECIPE_DEFAULTS.gate_mode);
  places.reject(`Cannot make a mixture of the layout ${layout.name}`, [
    ...findForeignKeys(recipe, layout),
    ...findSizeProblems(recipe, gateMode),
  ]);
  const base = await places.open(["base_model"], () => openDenseModel(recipe.base_model));
  const experts: PlacedAdapter[] = [];
  const close = async () => {
    for (const expert of experts) await expert.close();
    await base.checkpoint.close();
  };
  const context = { base, layout, reference: recipe.base_model, rank: recipe.rank ?? DEFAULT_RANK };
  try {
    for (const [i, { source_model: reference }] of recipe.experts.entries()) {
      const path: Path = ["experts", i, "source_model"];
      const open = () => places.open(path, () => openAdapterExpert(context, reference));
      const expert = await open().catch((error: unknown) => {
        throw isIsthmusError(error, "MismatchError") ? places.locate(path, error as MismatchError) : error;
      });
      experts.push({ ...expert, place: places.format(["experts", i]).replaceAll('"', "") });
    }
    const gated = experts.map(({ name }, i) => ({
      recipe: at(recipe.experts, i, "expert"),
      model: { ...base, name },
      isShared: false,
    }));
    gateMode.check?.(gated);
    const foreign = await noteOtherBases(experts.map(({ adapted }) => adapted));
    const { experts_per_token: active, router_size: size = 0 } = recipe;
    return {
      layout,
      base,
      experts,
      gateMode,
      gated,
      seed,
      close,
      features: size === 0 ? undefined : await drawFeatures(base, size, seed),
      active: active === experts.length ? undefined : active,
      dtype: findDtype(recipe.dtype),
      notes: [...experts.flatMap(({ notes }) => notes), ...foreign],
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Lists keys of a recipe that mean nothing for a mixture of adapters. */
function findForeignKeys(recipe: MixtureRecipe, { name }: AdapterLayout): readonly Problem[] {
  const problemAt = (path: Path): Problem => ({ path, text: `must be left out, as ${name} has none` });
  const ofRecipe = (["shared_experts", "dense_layers"] as const).filter((key) => recipe[key] !== undefined);
  const ofExperts = recipe.experts.flatMap((expert, i) =>
    (["noise_scale", "residual_scale"] as const)
      .filter((key) => expert[key] !== undefined)
      .map((key): Path => ["experts", i, key]),
  );
  return [...ofRecipe.map((key): Path => [key]), ...ofExperts].map(problemAt);
}

/** Most hidden units of a router; PEFT's default is 2048. */
const MOST_HIDDEN = 2 ** 14;

/** Lists what is wrong with the number of hidden units of the router. */
function findSizeProblems({ router_size: size = 0 }: MixtureRecipe, { name }: GateMode): readonly Problem[] {
  const path: Path = ["router_size"];
  if (size > MOST_HIDDEN) return [{ path, text: `must be at most ${MOST_HIDDEN}: it is ${size}` }];
  if (size === 0 || name === "ridge") return [];
  return [{ path, text: `must be 0 or left out for gate_mode ${name}: ridge alone fits such routers` }];
}
