import { at, entry } from "@isthmus/core";
import type {
  Adapter,
  GivenParameters,
  MergeAdaptersOptions,
  ParameterSpecs,
  ParameterValue,
  PerTensor,
  PlannedTensor,
} from "@isthmus/merging";
import { inferLayout } from "../layout/infer-layout.ts";
import { listEffectiveLevels } from "../plan/check-settings.ts";
import { explainValues } from "../plan/explain-values.ts";
import { alongRun } from "../plan/place.ts";
import type { RoledGroup } from "../plan/roles.ts";
import type { RecipePlaces } from "../recipe/places.ts";
import { type ReadValue, SettingsReader } from "../settings/settings-reader.ts";
import type { AdapterMethod } from "./adapter-methods.ts";

/** Settings of each module in a recipe of adapters. */
export interface ModuleSettings {
  /** Options of `mergeAdapters`, for combinations of PEFT. */
  readonly combining: Pick<MergeAdaptersOptions, "weights" | "rank" | "density" | "majoritySign">;
  /** Parameters of a merge method in core space. */
  readonly parameters: GivenParameters<ParameterSpecs>;
  /** Values of a module that the recipe gives, by parameter. */
  valuesOf(module: string): PlannedTensor["parameters"];
  /** Says for a module where the recipe gives each value. */
  reasonsOf(module: string): readonly string[];
}

/** Values of one parameter for one module: one for each adapter, or a single value for the merge. */
type Values = readonly (ReadValue | undefined)[];

/** A merge of adapters by a recipe, whose settings are read. */
export interface AdapterSettings {
  /** Places of the recipe, by which problems with it are reported. */
  readonly places: RecipePlaces;
  /** Adapters that the recipe names, with their settings. */
  readonly group: RoledGroup;
  /** Method by which the adapters are merged. */
  readonly method: AdapterMethod;
}

/**
 * Reads the settings of all modules of a merge of adapters. Filters see the names of the weights that are
 * changed, such as `model.layers.0.self_attn.q_proj.weight`.
 * @throws InputError if a setting is missing or out of the range of its parameter, or if a filter has no
 *   effect
 */
export function readModuleSettings(
  { places, group, method }: AdapterSettings,
  adapters: readonly Adapter[],
): ModuleSettings {
  const reader = new SettingsReader();
  const modules = [...new Set(adapters.flatMap((adapter) => [...adapter.modules.keys()]))];
  const info = { dtype: "f32", shape: [] } as const;
  const layout = inferLayout({ tensors: new Map(modules.map((module) => [weightOf(module), info])) });
  const read = new Map(
    modules.map((module) => {
      const tensor = { name: weightOf(module), along: alongRun(layout.placeOf(weightOf(module))) };
      return [module, readModule(tensor, { places, group, method, reader })] as const;
    }),
  );
  const idle = reader.findIdleFilters(listEffectiveLevels([group], method));
  places.reject("Cannot plan the recipe as its settings must have an effect", idle);
  const readOf = (module: string, name: string) => entry(entry(read, module, "module"), name, "parameter");
  const valueFor = (name: string, i: number) => (module: string) =>
    readOf(module, name)[i]?.value ?? method.parameters[name]?.default;
  const ofMerge = <T extends number | string>(name: string) =>
    [...read.values()].some((values) => values.get(name)?.[0] !== undefined)
      ? (valueFor(name, 0) as PerTensor<T>)
      : undefined;
  return {
    combining: {
      weights: adapters.map((_, i) => valueFor("weight", i) as PerTensor<number>),
      rank: ofMerge<number>("rank"),
      density: ofMerge<number>("density"),
      majoritySign: ofMerge<"total" | "frequency">("majority_sign_method"),
    },
    parameters: parametersOf(method, read, valueFor),
    valuesOf: (module) => valuesOf(method, entry(read, module, "module")),
    reasonsOf: (module) =>
      explainValues(
        places,
        [...entry(read, module, "module")].map(([name, values]) => ({ name, values })),
      ),
  };
}

/** Returns the name of the weight that a module changes, which filters see. */
function weightOf(module: string): string {
  return `${module}.weight`;
}

interface Reading extends AdapterSettings {
  readonly reader: SettingsReader;
}

function readModule(
  tensor: { readonly name: string; readonly along: number },
  { places, group, method, reader }: Reading,
): ReadonlyMap<string, Values> {
  return new Map(
    Object.entries(method.parameters).map(([name, spec]): [string, Values] => {
      if (spec.of === "merge") {
        const value = reader.read(name, spec, group.levels, tensor);
        if (name === "rank" && value !== undefined) assertWhole(places, value);
        return [name, [value]];
      }
      const values = group.networks.map((member) => {
        const value = reader.read(name, spec, [...member.levels, ...group.levels], tensor);
        if (value !== undefined || spec.default !== undefined) return value;
        const text = `has no "${name}" for "${tensor.name}", and ${method.name} of adapters has no default: write it under its parameters`;
        const problems = [{ path: member.path, text }];
        places.reject("Cannot plan the recipe as all parameters must have values", problems);
        return value;
      });
      return [name, values];
    }),
  );
}

function assertWhole(places: RecipePlaces, { value, path }: ReadValue): void {
  if (Number.isSafeInteger(value)) return;
  const problems = [{ path, text: `must be a whole number: it is ${value}` }];
  places.reject("Cannot plan the recipe as a rank must be a whole number", problems);
}

/** Makes the parameters of a merge method, from those to which the recipe gives a value for any module. */
function parametersOf(
  { parameters }: AdapterMethod,
  read: ReadonlyMap<string, ReadonlyMap<string, Values>>,
  valueFor: (name: string, i: number) => (module: string) => ParameterValue | undefined,
): GivenParameters<ParameterSpecs> {
  const parametersInRecipe = Object.entries(parameters).flatMap(([name, { of }]) => {
    const all = [...read.values()].map((values) => entry(values, name, "parameter"));
    if (all.every((values) => values.every((value) => value === undefined))) return [];
    const count = at(all, 0, "module").length;
    const ofEach = Array.from({ length: count }, (_, i) => valueFor(name, i));
    return [[name, of === "network" ? ofEach : ofEach[0]] as const];
  });
  return Object.fromEntries(parametersInRecipe) as GivenParameters<ParameterSpecs>;
}

function valuesOf(
  { parameters }: AdapterMethod,
  read: ReadonlyMap<string, Values>,
): PlannedTensor["parameters"] {
  const values = [...read].flatMap(([name, of]) => {
    const fallback = parameters[name]?.default;
    const filled = of.flatMap((value) => value?.value ?? fallback ?? []);
    if (filled.length === 0) return [];
    return [[name, parameters[name]?.of === "network" ? filled : at(filled, 0, "value")] as const];
  });
  return Object.fromEntries(values) as PlannedTensor["parameters"];
}
