import {
  at,
  type Checkpoint,
  convertInto,
  DTYPES,
  entry,
  InvariantError,
  sizeOf,
  type TensorInfo,
} from "@isthmus/core";
import {
  type Adapter,
  type AdapterModule,
  combinationBytes,
  type MergeMethod,
  type MergePlan,
  mergeAdapters,
  type PlannedTensor,
} from "@isthmus/merging";
import { basename } from "@isthmus/platform";
import { findSettingProblems } from "../plan/check-settings.ts";
import type { CheckedRecipe } from "../plan/groups.ts";
import type { RoledGroup } from "../plan/roles.ts";
import type { Problem } from "../recipe/problem.ts";
import { RECIPE_DTYPES, type Recipe } from "../recipe/recipe.ts";
import { type AdapterMethod, explainAdapterMethod, listAdapterMethods } from "./adapter-methods.ts";
import { type ModuleSettings, readModuleSettings } from "./module-settings.ts";

/** A merge of adapters that a recipe describes. */
export interface AdapterPlan {
  /**
   * Plan of the weights. Its one network is the merged adapter, each tensor of which is computed when it is
   * read.
   */
  readonly plan: MergePlan;
  /** Merged adapter with its settings, such as rank and modules, for files beside the weights. */
  readonly adapter: Adapter;
}

/** Inputs of a merge of adapters other than its recipe. */
export interface PlanAdaptersOptions {
  /** Method that {@link findAdapterMethod} found. */
  readonly method: AdapterMethod;
  /** Seed of methods that draw random numbers, a whole number of at least 0. */
  readonly seed: number;
  /** Multiplier of matrices; undefined for products without an engine. */
  readonly products: MergePlan["products"];
}

/** Keys of recipes that apply to networks only, not to adapters. */
const OF_NETWORKS = [
  "base_model",
  "tokenizer",
  "tokenizer_source",
  "chat_template",
  "strict",
  "missing",
] as const;

/** Keys of a model in a recipe that apply to networks only. */
const OF_MODELS = ["align", "fisher", "grams"] as const;

/**
 * Finds the method by which a recipe merges adapters, and checks the settings; no adapter is opened.
 * @throws InputError if something in the recipe is wrong or has no effect; the message names places in it
 */
export function findAdapterMethod(
  checked: CheckedRecipe,
  methods: ReadonlyMap<string, MergeMethod>,
): AdapterMethod {
  const { recipe, places } = checked;
  const byName = listAdapterMethods(methods);
  const method = byName.get(recipe.merge_method);
  const group = groupOf(checked);
  if (method === undefined) {
    const text = explainAdapterMethod(recipe.merge_method, byName);
    const problems = [{ path: ["merge_method"], text }];
    places.reject("Cannot plan the recipe as its method must merge adapters", problems);
    throw new InvariantError("A recipe was not rejected for its method");
  }
  const problems = [...findIdleKeys(recipe), ...findSettingProblems(group, method, byName)];
  places.reject("Cannot merge adapters as all settings must be in their ranges and have an effect", problems);
  return method;
}

/**
 * Plans a merge of LoRA adapters, module by module. Merged matrices are computed when they are read.
 * @throws InputError if a setting is missing, or has no effect
 * @throws MismatchError if adapters do not fit each other
 */
export function planAdapters(
  checked: CheckedRecipe,
  adapters: readonly Adapter[],
  { method, seed, products }: PlanAdaptersOptions,
): AdapterPlan {
  const { recipe, places } = checked;
  const settings = readModuleSettings({ places, group: groupOf(checked), method }, adapters);
  const adapter = mergeAdapters(adapters, {
    combination: method.combination,
    ...(products !== undefined && { products }),
    ...(method.rule === undefined
      ? { ...settings.combining, seed }
      : { rule: { method: method.rule, parameters: settings.parameters, seed } }),
  });
  const source = `${method.name}(${adapters.map((one) => basename(one.source)).join(", ")})`;
  const network: Checkpoint = { ...adapter.checkpoint, source };
  const tensors = planTensors(recipe, adapter, { method, settings, adapters });
  return {
    plan: { source, networks: [network], tensors, metadata: { ...network.metadata, format: "pt" }, seed },
    adapter,
  };
}

function groupOf({ groups }: CheckedRecipe): RoledGroup {
  const group = at(groups, 0, "group");
  const [first, ...others] = group.members;
  if (first === undefined) throw new InvariantError("No model in a recipe that was checked");
  return { ...group, networks: [first, ...others], ancestor: undefined };
}

function findIdleKeys(recipe: Recipe): readonly Problem[] {
  const idle = OF_NETWORKS.filter((key) => recipe[key] !== undefined);
  const ofModels = (recipe.models ?? []).flatMap((model, i) =>
    OF_MODELS.filter((key) => model[key] !== undefined && model[key] !== false).map((key) => [
      "models",
      i,
      key,
    ]),
  );
  return [
    ...idle.map((key) => ({
      path: [key],
      text: "has no effect on a merge of adapters, as all models are: leave it out, or write models as base+adapter",
    })),
    ...ofModels.map((path) => ({ path, text: "has no effect on an adapter: leave it out" })),
  ];
}

function planTensors(
  recipe: Recipe,
  { checkpoint, modules }: Adapter,
  {
    method,
    settings,
    adapters,
  }: {
    readonly method: AdapterMethod;
    readonly settings: ModuleSettings;
    readonly adapters: readonly Adapter[];
  },
): ReadonlyMap<string, PlannedTensor> {
  const moduleOf = new Map(
    [...modules.values()].flatMap(({ name, a, b, alpha }) =>
      [a, b, alpha].flatMap((tensor) => (tensor === undefined ? [] : [[tensor, name] as const])),
    ),
  );
  const named = recipe.out_dtype ?? recipe.dtype;
  const dtype = named === undefined ? undefined : RECIPE_DTYPES[named];
  return new Map(
    [...checkpoint.tensors].map(([tensor, stored]): [string, PlannedTensor] => {
      const info: TensorInfo = {
        ...stored,
        dtype: DTYPES[stored.dtype].float ? (dtype ?? stored.dtype) : stored.dtype,
      };
      const planned = { info, sources: [{ network: 0, tensor }] as const };
      const module = moduleOf.get(tensor);
      if (module === undefined)
        return [
          tensor,
          { ...planned, method: undefined, parameters: {}, reason: "copied: one adapter replaces it" },
        ];
      const reason = [method.name, ...settings.reasonsOf(module)].join(", ");
      const rule = methodOf(
        method,
        heldBytes(method, entry(modules, module, "module"), { checkpoint, adapters }),
      );
      return [tensor, { ...planned, method: rule, parameters: settings.valuesOf(module), reason }];
    }),
  );
}

/** Returns the bytes that are held while a module is merged, beside its factors. */
function heldBytes(
  { combination }: AdapterMethod,
  { name, a, b, rank }: AdapterModule,
  { checkpoint, adapters }: { readonly checkpoint: Checkpoint; readonly adapters: readonly Adapter[] },
): number {
  const size = (tensor: string) => sizeOf(entry(checkpoint.tensors, tensor, "tensor").shape) / rank;
  const count = adapters.filter((adapter) => adapter.modules.has(name)).length;
  return combinationBytes(combination, count, { out: size(b), in: size(a) });
}

/**
 * Describes a method of merging adapters as a merge method of one network, which is the merged adapter.
 * @param held - bytes that are held while a module is merged; 0 for the default of a whole tensor
 */
function methodOf(
  { name, description, source, parameters, keepsTensor = false }: AdapterMethod,
  held: number,
): MergeMethod {
  return {
    ...(held > 0 && { heldBytes: () => held }),
    name,
    description,
    source,
    parameters,
    keepsTensor,
    networks: { least: 1, most: 1, base: "none" },
    blendInto: ({ parts }, out) => convertInto(at(parts, 0, "part"), out),
  };
}
