import {
  at,
  DTYPES,
  type DType,
  formatShape,
  InvariantError,
  sameShape,
  type TensorInfo,
} from "@isthmus/core";
import {
  type GivenParameters,
  type MergeMethod,
  type ParameterValue,
  type PlannedSource,
  type PlannedTensor,
  resolveParameters,
} from "@isthmus/merging";
import type { RecipePlaces } from "../recipe/places.ts";
import type { Problem } from "../recipe/problem.ts";
import { RECIPE_DTYPES, type Recipe } from "../recipe/recipe.ts";
import type { ReadValue, SettingsReader } from "../settings/settings-reader.ts";
import { explainValues } from "./explain-values.ts";
import type { FoundPart, FoundParts } from "./find-parts.ts";
import type { Place } from "./place.ts";

/** Inputs that all tensors of a plan share. */
export interface Planning {
  /** Recipe that is planned, whose settings apply to all tensors. */
  readonly recipe: Recipe;
  /** Places of the recipe, by which problems with it are reported. */
  readonly places: RecipePlaces;
  /** Method by which tensors are merged. */
  readonly method: MergeMethod;
  /** Reader of settings, which remembers the filters that had an effect. */
  readonly reader: SettingsReader;
}

/** A parameter with its values in the recipe: one for each network, or one for the merge. */
interface ReadParameter {
  readonly name: string;
  readonly of: "network" | "merge";
  readonly values: readonly (ReadValue | undefined)[];
}

/** Plans one tensor: reads its parameters, and explains them. */
export function planTensor(place: Place, parts: FoundParts, planning: Planning): PlannedTensor {
  const { recipe, method } = planning;
  if ("copied" in parts) return copy(recipe, parts.copied, "not all networks have it");
  const { base } = parts;
  const read = readParameters(place, parts.parts, planning);
  const isNamed = read.some(({ values }) => values.some((value) => value?.isConditional));
  if (recipe.strict && !isNamed) {
    const from = base ?? parts.parts[0];
    if (from !== undefined) return copy(recipe, from, "no filter names it, and the recipe is strict");
  }
  assertWeights(place.output, read, planning);
  const [first, ...others] = parts.parts.map(sourceOf);
  if (first === undefined) throw new InvariantError(`No network is merged in "${place.output}"`);
  const all = base === undefined ? parts.parts : [base, ...parts.parts];
  const parameters = resolveParameters(method.name, method.parameters, givenOf(read, planning), {
    tensor: place.output,
    networks: parts.parts.length,
  });
  assertFitting(place.output, read, parameters, { ...planning, count: parts.parts.length });
  return {
    info: infoOf(recipe, all),
    method,
    sources: [first, ...others],
    ...(base === undefined ? {} : { base: sourceOf(base) }),
    ...measuredOf(planning, parts.parts),
    parameters,
    reason: explain(
      planning,
      read,
      all.filter(({ isTied }) => isTied),
    ),
  };
}

/**
 * Finds the statistics of the tensor for each network, if the method needs them. A tensor for which no
 * network has statistics is merged without them.
 */
function measuredOf(
  { places, method }: Planning,
  parts: readonly FoundPart[],
): Pick<PlannedTensor, "measured"> {
  const { needs } = method;
  if (needs === undefined) return {};
  const measured = parts.map(({ input, tensor, info: { shape } }) => {
    if (input.measured === undefined)
      throw new InvariantError(`Nothing was measured of "${input.network.source}"`);
    return { ...input.measured, tensor, shape, stored: input.measured.checkpoint.tensors.get(tensor) };
  });
  if (measured.every(({ stored }) => stored === undefined)) return {};
  const problems = measured.flatMap(({ tensor, shape, path, stored }): readonly Problem[] => {
    if (needs === "grams" && shape.length !== 2) {
      const text = `must have Gram matrices of weights [outputs, inputs] only: "${tensor}" is ${formatShape(shape)}`;
      return [{ path, text }];
    }
    const expected = needs === "fisher" ? shape : [at(shape, 1, "axis"), at(shape, 1, "axis")];
    if (stored !== undefined && sameShape(stored.shape, expected)) return [];
    const state = stored === undefined ? "it has none" : `it is ${formatShape(stored.shape)}`;
    const text = `must have a tensor "${tensor}" of shape ${formatShape(expected)}, as it is merged with what was measured of others: ${state}`;
    return [{ path, text }];
  });
  places.reject("Cannot plan the recipe as all networks must be measured alike", problems);
  return { measured: measured.map(({ index, tensor }) => ({ network: index, tensor })) };
}

/** Plans a tensor that is copied from one network. */
export function copy(
  recipe: Recipe,
  part: Pick<FoundPart, "input" | "tensor" | "info">,
  why: string,
): PlannedTensor {
  return {
    info: infoOf(recipe, [part]),
    method: undefined,
    sources: [sourceOf(part)],
    parameters: {},
    reason: `copied: ${why}`,
  };
}

function sourceOf({ input, tensor }: Pick<FoundPart, "input" | "tensor">): PlannedSource {
  return { network: input.index, tensor };
}

function readParameters(
  { output, along, group }: Place,
  parts: readonly FoundPart[],
  { places, method, reader }: Planning,
): readonly ReadParameter[] {
  return Object.entries(method.parameters).map(([name, spec]): ReadParameter => {
    if (spec.of === "merge") {
      const value = reader.read(name, spec, group.levels, { name: output, along });
      if (value === undefined && spec.default === undefined) {
        rejectBlocks(places, reader);
        const text = `needs "${name}" for "${output}", and ${method.name} has no default: write it under the parameters of ${group.isSlice ? "the slice" : "the recipe"}`;
        places.reject("Cannot plan the recipe as all parameters must have values", [
          { path: group.isSlice ? group.path : ["merge_method"], text },
        ]);
      }
      return { name, of: "merge", values: [value] };
    }
    const values = parts.map(({ member, tensor }) => {
      const value = reader.read(name, spec, [...member.levels, ...group.levels], { name: tensor, along });
      if (value === undefined && spec.default === undefined) {
        rejectBlocks(places, reader);
        const text = `has no "${name}" for "${tensor}", and ${method.name} has no default: write it under its parameters`;
        places.reject("Cannot plan the recipe as all parameters must have values", [
          { path: member.path, text },
        ]);
      }
      return value;
    });
    return { name, of: "network", values };
  });
}

/** @throws InputError if a tensor is in a block of a diffusion model that has no value */
function rejectBlocks(places: RecipePlaces, reader: SettingsReader): void {
  places.reject("Cannot plan the recipe as all blocks must have values", reader.findUncoveredBlocks());
}

/**
 * @throws InputError if values of parameters contradict each other, or the number of networks; the message
 *   names the value to change
 */
function assertFitting(
  tensor: string,
  read: readonly ReadParameter[],
  parameters: PlannedTensor["parameters"],
  { places, method, count }: Planning & { readonly count: number },
): void {
  const conflict = method.findConflict?.(parameters as never, count);
  if (conflict === undefined) return;
  const { parameter, network, text } = conflict;
  const value = read.find(({ name }) => name === parameter)?.values[network];
  const problem =
    value === undefined
      ? { path: ["merge_method"], text: `needs another "${parameter}", which ${text} for "${tensor}"` }
      : { path: value.path, text: `${text} for "${tensor}"` };
  places.reject("Cannot plan the recipe as values of its parameters must fit each other and the networks", [
    problem,
  ]);
}

/**
 * @throws InputError if the method divides by the sum of weights and the sum is 0; the message names the last
 *   weight
 */
function assertWeights(tensor: string, read: readonly ReadParameter[], { places, method }: Planning): void {
  const parameters = valuesOf(read, method);
  const weights = parameters["weight"];
  const weight = read.find(({ name }) => name === "weight");
  if (
    weight === undefined ||
    !Array.isArray(weights) ||
    method.dividesByWeights?.(parameters as never) !== true
  )
    return;
  if (weights.reduce((sum: number, value) => sum + Number(value), 0) !== 0) return;
  const path = weight.values.findLast((value) => value !== undefined)?.path ?? ["merge_method"];
  const text = `must not make weights that sum to 0, as ${method.name} divides by their sum: those of "${tensor}" are ${weights.join(", ")}`;
  places.reject("Cannot plan the recipe as weights must have a sum", [{ path, text }]);
}

/** Returns the values of all parameters, defaults included. */
function valuesOf(
  read: readonly ReadParameter[],
  { parameters }: MergeMethod,
): Readonly<Record<string, unknown>> {
  const entries = read.map(({ name, of, values }) => {
    const filled = values.map((value) => value?.value ?? parameters[name]?.default);
    return [name, of === "merge" ? filled[0] : filled] as const;
  });
  return Object.fromEntries(entries);
}

function givenOf(
  read: readonly ReadParameter[],
  { method }: Planning,
): GivenParameters<MergeMethod["parameters"]> {
  type Entry = readonly [name: string, value: ParameterValue | readonly ParameterValue[]];
  const entries = read.flatMap(({ name, of, values }): readonly Entry[] => {
    const [first] = values;
    if (of === "merge") return first === undefined ? [] : [[name, first.value]];
    if (values.every((value) => value === undefined)) return [];
    const fallback = method.parameters[name]?.default;
    return [[name, values.flatMap((value) => value?.value ?? fallback ?? [])]];
  });
  return Object.fromEntries(entries) as GivenParameters<MergeMethod["parameters"]>;
}

function infoOf({ dtype, out_dtype: output }: Recipe, parts: readonly Pick<FoundPart, "info">[]): TensorInfo {
  const { info: first } = at(parts, 0, "part");
  if (!DTYPES[first.dtype].float) return { dtype: first.dtype, shape: first.shape };
  const named = output ?? dtype;
  const chosen = named === undefined ? undefined : RECIPE_DTYPES[named];
  return {
    dtype: chosen ?? parts.reduce((type, { info }) => widest(type, info.dtype), first.dtype),
    shape: first.shape,
  };
}

/** Returns the element type that holds numbers of both types; f32 for two different types of 16 bits. */
function widest(a: DType, b: DType): DType {
  if (a === b) return a;
  const [sizeA, sizeB] = [DTYPES[a].bytes, DTYPES[b].bytes];
  if (sizeA === sizeB) return "f32";
  return sizeA > sizeB ? a : b;
}

/** Explains in one line how a tensor is made, with the places of the settings in the recipe. */
function explain(
  { places, method }: Planning,
  read: readonly ReadParameter[],
  tied: readonly FoundPart[],
): string {
  const settings = explainValues(places, read);
  const ties = tied.map(({ input, tensor }) => `"${input.network.source}" ties it to "${tensor}"`);
  return [method.name, ...settings, ...ties].join(", ");
}
