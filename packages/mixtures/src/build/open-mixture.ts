import {
  at,
  type Checkpoint,
  type DType,
  InputError,
  isIsthmusError,
  MismatchError,
  OutOfRangeError,
} from "@isthmus/core";
import { findOtherBases, type Path, RECIPE_DTYPES } from "@isthmus/recipe";
import { chooseLayout } from "./choose-layout.ts";
import { compareVocabularies } from "./compare-vocabularies.ts";
import type { DenseModel } from "./dense-model.ts";
import type { GatedExpert, GateMode } from "./gate-mode.ts";
import { findGateMode } from "./gate-modes.ts";
import { type DenseReference, MIXTURE_RECIPE_DEFAULTS, type MixtureExpert } from "./mixture-recipe.ts";
import { openDenseModel } from "./open-dense-model.ts";
import type { MixtureParts, PlannedExpert } from "./plan-mixture.ts";
import type { ReadMixtureRecipe } from "./read-mixture-recipe.ts";

/** The models of a recipe, checked against each other, and the layout that carries them. */
export interface OpenedMixture extends MixtureParts {
  /** Mode of the gates. */
  readonly gateMode: GateMode;
  /** Experts with a gate, first the experts of the router. */
  readonly gated: readonly GatedExpert[];
  /** Sentences for the user. */
  readonly notes: readonly string[];
  /** Closes the models. */
  close(): Promise<void>;
}

/** Options of {@link openMixture}. */
export interface OpenMixtureOptions {
  /** Seed of random numbers, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number | undefined;
  /**
   * Whether all experts may be the same model without noise, which computes what that model does until the
   * mixture is trained. @defaultValue false
   */
  readonly forTraining?: boolean | undefined;
}

/** Width of a shared expert of zeros, which computes nothing, if the layout always has one. */
const EMPTY_HIDDEN = 64;

/**
 * Opens the models of a mixture, and checks that they fit each other. Reads headers and tokenizers only.
 * @throws InputError if a model cannot be opened; the message names its place in the recipe
 * @throws MismatchError if models differ in shape or vocabulary
 * @throws UnsupportedError if no layout carries the models; the message says what each lacks
 * @throws OutOfRangeError if no layer is left for experts
 */
export async function openMixture(
  { recipe, places }: ReadMixtureRecipe,
  { seed = 0, forTraining = false }: OpenMixtureOptions = {},
): Promise<OpenedMixture> {
  const models = new Map<string, DenseModel>();
  const close = async () => {
    for (const { checkpoint } of models.values()) await checkpoint.close();
  };
  const open = async (reference: DenseReference, path: Path): Promise<DenseModel> => {
    const key = JSON.stringify(reference);
    const model = models.get(key) ?? (await places.open(path, () => openDenseModel(reference)));
    models.set(key, model);
    return model;
  };
  try {
    const base = await open(recipe.base_model, ["base_model"]);
    const openAll = async (list: readonly MixtureExpert[], key: string) => {
      const opened: PlannedExpert[] = [];
      for (const [i, expert] of list.entries()) {
        const path: Path = [key, i, "source_model"];
        const model = await open(expert.source_model, path);
        await locating(path, async () => assertFits(base, model));
        opened.push({ recipe: expert, place: places.format([key, i]).replaceAll('"', ""), model });
      }
      return opened;
    };
    const locating = async (path: Path, check: () => Promise<void>): Promise<void> => {
      try {
        await check();
      } catch (error) {
        throw isIsthmusError(error, "MismatchError") ? places.locate(path, error as MismatchError) : error;
      }
    };
    const experts = await openAll(recipe.experts, "experts");
    const shared = await openAll(recipe.shared_experts ?? [], "shared_experts");
    const gateMode = findGateMode(recipe.gate_mode ?? MIXTURE_RECIPE_DEFAULTS.gate_mode);
    if (!forTraining) assertUseful(experts, gateMode);
    const hasSharedPrompts = shared.some(({ recipe: { positive_prompts: texts = [] } }) => texts.length > 0);
    const dense = denseLayers(recipe.dense_layers, base);
    const isGated = hasSharedPrompts || !gateMode.needsPrompts;
    const active = countActive(recipe, experts.length);
    const { layout, notes } = chooseLayout(
      { base, shared: shared.length, dense, active, hasSharedPrompts, isGated },
      recipe.architecture,
    );
    const gated = [...experts, ...(layout.shared === "gated" ? shared : [])].map((expert, i) => ({
      recipe: expert.recipe,
      model: expert.model,
      isShared: i >= experts.length,
    }));
    gateMode.check?.(gated);
    const foreign = await noteOtherBases([...models.values()].map(({ checkpoint }) => checkpoint));
    const [one] = shared;
    return {
      layout,
      experts,
      shared: one,
      extents: {
        base,
        experts: experts.length,
        active,
        shared: shared.length,
        dense,
        sharedHidden: one?.model.hidden ?? Math.min(EMPTY_HIDDEN, base.hidden),
      },
      dtype: dtypeOf(recipe.dtype, base),
      mode: gateMode.name,
      seed,
      gateMode,
      gated,
      notes: [...notes, ...foreign],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Returns the number of first layers without experts.
 * @throws OutOfRangeError if no layer is left for experts
 */
function denseLayers(asked: number | undefined, { name, layers }: DenseModel): number {
  const dense = asked ?? 0;
  if (dense < layers) return dense;
  throw new OutOfRangeError(
    `Cannot make a mixture of "${name}" as "dense_layers" must be less than its ${layers} layers: it is ${dense}`,
  );
}

/**
 * Lists sentences on adapters that say that they were made for another model than the one that they change.
 * @throws InputError if an adapter is of another architecture by its metadata
 */
export async function noteOtherBases(networks: readonly Checkpoint[]): Promise<readonly string[]> {
  const findings = await findOtherBases(networks);
  const error = findings.find(({ severity }) => severity === "error");
  if (error === undefined) return findings.map(({ message, advice }) => `${message}; ${advice}`);
  const [position = 0] = error.networks;
  throw new InputError(
    `Cannot make a mixture as the result would be meaningless: ${error.message}; ${error.advice}`,
    { input: at(networks, position, "model").source },
  );
}

/** Returns the element type of the result: as asked, otherwise as the config of the base names it. */
function dtypeOf(asked: string | undefined, { config }: DenseModel): DType | undefined {
  return findDtype(asked ?? config["dtype"] ?? config["torch_dtype"]);
}

/** Returns the element type of a name in PyTorch; undefined for anything else. */
export function findDtype(named: unknown): DType | undefined {
  return typeof named === "string" && Object.hasOwn(RECIPE_DTYPES, named) ? RECIPE_DTYPES[named] : undefined;
}

/**
 * Checks that the feed-forward networks of a model fit into the base.
 * @throws MismatchError if its extents, its activation or its tokens differ
 */
async function assertFits(base: DenseModel, model: DenseModel): Promise<void> {
  if (model === base) return;
  const compared = [
    ["layers", "layers"],
    ["units of the stream", "width"],
    ["hidden units", "hidden"],
    ["activation", "activation"],
  ] as const;
  for (const [what, key] of compared) {
    if (base[key] === model[key]) continue;
    throw new MismatchError(
      `Cannot make an expert of "${model.name}" as it must equal the base "${base.name}" in its ${what}: ${model[key]} is not ${base[key]}`,
      { parameters: [key], input: model.name },
    );
  }
  if (model.traits.has("unitBiases")) {
    throw new MismatchError(
      `Cannot make an expert of "${model.name}" as its feed-forward networks must have no biases, which no layout of mixtures has: it has some`,
      { parameters: ["mlp.up_proj.bias"], input: model.name },
    );
  }
  await compareVocabularies(base, model);
}

/**
 * Checks that experts differ.
 * @throws InputError if all are one model without noise
 */
function assertUseful(experts: readonly PlannedExpert[], { needsPrompts }: GateMode): void {
  const [first] = experts;
  const isSame = ({ model, recipe }: PlannedExpert) => model === first?.model && !recipe.noise_scale;
  if (!needsPrompts || experts.length < 2 || !experts.every(isSame)) return;
  throw new InputError(
    `Cannot make a mixture of "${first?.model.name}" alone as its experts must differ: all ${experts.length} are that model, so that the result computes what the model does; to train it on, add --for-training`,
    { input: first?.model.name ?? "" },
  );
}

/** Returns to how many of the experts each token is sent. */
function countActive({ experts_per_token: asked }: ReadMixtureRecipe["recipe"], experts: number): number {
  return Math.min(asked ?? MIXTURE_RECIPE_DEFAULTS.experts_per_token, experts);
}
