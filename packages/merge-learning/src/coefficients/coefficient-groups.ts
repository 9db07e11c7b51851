import { entry, UsageError } from "@isthmus/core";
import { inferLayout } from "@isthmus/recipe";
import { type AffineTensor, electsSigns, isNormalized, weightsOf } from "./affine-methods.ts";

/** Parts of a network that have coefficients of their own. */
export const GRANULARITIES = ["model", "layer", "tensor"] as const;

/** Part of a network that has coefficients of its own: the whole network, a layer, or a tensor. */
export type Granularity = (typeof GRANULARITIES)[number];

/** Tensors that share a coefficient for each network. */
export interface CoefficientGroup {
  /** Name: of a layer such as `model.layers.0`, of a tensor, or `all`. */
  readonly name: string;
  /** Names of the tensors. */
  readonly tensors: readonly string[];
  /** Filter of a recipe that matches these tensors and no others; undefined for all tensors. */
  readonly filter: string | undefined;
  /** Weight of each network in the recipe. */
  readonly start: readonly number[];
  /** Whether weights are divided by their sum. */
  readonly isNormalized: boolean;
  /** Whether weights must be positive, as the networks elect the signs of changes. */
  readonly electsSigns: boolean;
}

/**
 * Divides the tensors of a merge into groups, each with a coefficient for each network.
 * @throws UsageError if the weights of a group differ in the recipe
 */
export function groupCoefficients(
  tensors: ReadonlyMap<string, AffineTensor>,
  by: Granularity,
): readonly CoefficientGroup[] {
  const { placeOf } = inferLayout({ tensors: new Map([...tensors].map(([name, { info }]) => [name, info])) });
  const prefixOf = (name: string): string => {
    const place = placeOf(name);
    if (place !== undefined) return `${place.run.prefix}${place.layer}${place.rest.slice(0, 1)}`;
    return name.slice(0, Math.max(0, name.lastIndexOf(".") + 1)) || name;
  };
  const keyOf = { model: () => "", layer: prefixOf, tensor: (name: string) => name }[by];
  const members = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    const key = keyOf(name);
    members.set(key, [...(members.get(key) ?? []), name]);
  }
  const all = [...tensors.keys()];
  return [...members].map(([key, names]): CoefficientGroup => {
    const filter = by === "model" ? undefined : filterOf(key, names, all);
    return { name: key.replace(/[./]$/, "") || "all", tensors: names, filter, ...sharedOf(names, tensors) };
  });
}

/** Returns a filter that matches some names and no others: a part of the names, or an expression for one. */
function filterOf(prefix: string, names: readonly string[], all: readonly string[]): string {
  const members = new Set(names);
  if (all.every((name) => members.has(name) || !name.includes(prefix))) return prefix;
  const escaped = prefix.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return members.size === 1 && members.has(prefix) ? `/^${escaped}$/` : `/^${escaped}/`;
}

/** Returns what the recipe says of the tensors of a group. @throws UsageError if it differs */
function sharedOf(
  names: readonly string[],
  tensors: ReadonlyMap<string, AffineTensor>,
): Pick<CoefficientGroup, "start" | "isNormalized" | "electsSigns"> {
  const [first, ...others] = names.map((name) => {
    const tensor = entry(tensors, name, "tensor");
    const shared = { start: weightsOf(tensor), isNormalized: isNormalized(tensor) };
    return { name, shared: { ...shared, electsSigns: electsSigns(tensor) } };
  });
  if (first === undefined) throw new UsageError("Cannot learn weights as no tensor is merged");
  const same = JSON.stringify(first.shared);
  const other = others.find(({ shared }) => JSON.stringify(shared) !== same);
  if (other === undefined) return first.shared;
  throw new UsageError(
    `Cannot learn one weight for "${first.name}" and "${other.name}" as their weights must be the same in the recipe: they are ${first.shared.start.join(", ")} and ${other.shared.start.join(", ")}; give one number (in a script: start; --start), or learn --by tensor`,
  );
}
