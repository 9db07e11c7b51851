import { at, type DType } from "@isthmus/core";
import type { MergePlan, PlannedTensor } from "@isthmus/merging";
import { inferLayout, type Layout } from "../layout/infer-layout.ts";
import { roundShown } from "./explain-values.ts";
import { isMerged } from "./summarize-plan.ts";

/** Tensors of a plan in the same place of different layers, which are made in the same way. */
export interface TensorGroup {
  /**
   * Common name of the tensors, with the range of layers in place of the number, and a star for other
   * numbers.
   */
  readonly pattern: string;
  /** Number of tensors in the group. */
  readonly count: number;
  /** Element type of the tensors in the result. */
  readonly dtype: DType;
  /** Shape of each tensor in the result. */
  readonly shape: readonly number[];
  /** Name of the method; null if the tensors are copied. */
  readonly method: string | null;
  /** Networks from which the tensors are made, without the base. */
  readonly networks: readonly string[];
  /**
   * Values other than the method's defaults, by parameter; a parameter of networks has one value for each
   * network. Values that differ from layer to layer are a text, such as `0 to 0.5`.
   */
  readonly parameters: Readonly<Record<string, readonly (number | string | boolean)[]>>;
}

/**
 * Groups the tensors of a plan by their places in layers, for an overview; {@link explainPlan} explains each
 * tensor in full.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { groupTensors, openRecipe, parseRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: slerp
 * parameters: { t: [0, 1] }
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * const { plan, close } = await openRecipe(recipe);
 * const bias = groupTensors(plan).find(({ pattern }) => pattern === "layers.0-2.bias");
 * assert.deepEqual([bias?.count, bias?.method, bias?.parameters], [3, "slerp", { t: ["0 to 0.666667"] }]);
 * await close();
 * ```
 */
export function groupTensors({ networks, tensors }: MergePlan): readonly TensorGroup[] {
  const infos = new Map([...tensors].map(([name, { info }]) => [name, info]));
  const layout = inferLayout({ tensors: infos });
  const groups = new Map<string, Grouped[]>();
  for (const [name, planned] of tensors) {
    const { info, method, sources } = planned;
    const names = sources.map(({ network }) => at(networks, network, "network").source);
    const alike = [patternOf(name, layout, "*"), info, isMerged(planned) ? method?.name : null, names];
    const key = JSON.stringify(alike);
    groups.set(key, [...(groups.get(key) ?? []), { name, planned, networks: names }]);
  }
  return [...groups.values()].map((group) => describeGroup(group, layout));
}

interface Grouped {
  readonly name: string;
  readonly planned: PlannedTensor;
  readonly networks: readonly string[];
}

function describeGroup(group: readonly Grouped[], layout: Layout): TensorGroup {
  const { name, planned, networks } = at(group, 0, "tensor");
  const layers = group.flatMap((one) => layout.placeOf(one.name)?.layer ?? []);
  const { method, info } = planned;
  return {
    pattern: patternOf(name, layout, formatRanges(layers)),
    count: group.length,
    dtype: info.dtype,
    shape: info.shape,
    method: method !== undefined && isMerged(planned) ? method.name : null,
    networks,
    parameters: isMerged(planned) ? parametersOf(group.map((one) => one.planned)) : {},
  };
}

/** Formats a name with a text in place of the number of its layer, and a star for each later number. */
function patternOf(name: string, layout: Layout, layers: string): string {
  const place = layout.placeOf(name);
  if (place === undefined) return name;
  return `${place.run.prefix}${layers}${place.rest.replace(/(?<=[./])\d+(?=[./])/g, "*")}`;
}

/** Formats whole numbers as ranges: `0-3,5`. */
function formatRanges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const starts = sorted.filter((x, i) => i === 0 || at(sorted, i - 1) !== x - 1);
  const ends = sorted.filter((x, i) => i === sorted.length - 1 || at(sorted, i + 1) !== x + 1);
  return starts.map((start, i) => (start === ends[i] ? `${start}` : `${start}-${ends[i]}`)).join(",");
}

type Value = number | string | boolean;

function parametersOf(tensors: readonly PlannedTensor[]): TensorGroup["parameters"] {
  const specs = tensors[0]?.method?.parameters ?? {};
  const entries = Object.entries(specs).flatMap(([name, { default: fallback }]) => {
    const rows = tensors.map(({ parameters }) => [parameters[name]].flat() as Value[]);
    if (rows.every((row) => row.every((value) => value === fallback))) return [];
    const columns = at(rows, 0, "tensor").map((_, i) => rows.map((row) => at(row, i, "value")));
    return [[name, columns.map(summarizeValues)] as const];
  });
  return Object.fromEntries(entries);
}

function summarizeValues(values: readonly Value[]): Value {
  const distinct = [...new Set(values)];
  const [only, ...others] = distinct;
  if (only !== undefined && others.length === 0) return typeof only === "number" ? roundShown(only) : only;
  const numbers = distinct.filter((value) => typeof value === "number");
  if (numbers.length < distinct.length) return distinct.join(" or ");
  return `${roundShown(Math.min(...numbers))} to ${roundShown(Math.max(...numbers))}`;
}
