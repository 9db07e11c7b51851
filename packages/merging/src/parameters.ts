import { at, OutOfRangeError, UsageError } from "@isthmus/core";
import { assertLayerPatterns, fitsLayer } from "@isthmus/interpolation";

/** Value of a parameter of a merge method. */
export type ParameterValue = number | string | boolean;

/** A parameter: one value for all tensors, or a function that returns the value for a tensor by its name. */
export type PerTensor<T> = T | ((tensor: string) => T);

/**
 * Description of a parameter of a merge method: its meaning, its allowed values, and whether each network has
 * a value.
 */
export interface ParameterSpec<T extends ParameterValue = ParameterValue> {
  /** One sentence, for help and messages. */
  readonly description: string;
  /** Whether each network has a separate value, or the merge has a single one. */
  readonly of: "network" | "merge";
  /** Default value; a parameter without a default is required. */
  readonly default?: T;
  /** Smallest number that is allowed. */
  readonly least?: number;
  /** Largest number that is allowed. */
  readonly most?: number;
  /** Range of numbers for which the method is described, and its behaviour beyond the range. */
  readonly usual?: { readonly least: number; readonly most: number; readonly beyond: string };
  /** Whether only whole numbers are allowed. */
  readonly whole?: boolean;
  /** Words that are allowed. */
  readonly choices?: readonly T[];
  /**
   * Whether the value is ignored; such a parameter is accepted so that recipes of other tools can be read.
   */
  readonly unused?: boolean;
}

/** Descriptions of all parameters of a method, by name. */
export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

type ValueOf<S> = S extends { readonly choices: readonly (infer T)[] }
  ? T
  : S extends { readonly default: infer T }
    ? Widened<T>
    : S extends { readonly least: number } | { readonly most: number } | { readonly usual: object }
      ? number
      : S extends ParameterSpec<infer T>
        ? Widened<T>
        : never;
type Widened<T> = T extends number ? number : T extends boolean ? boolean : T;

/**
 * Values of parameters as users give them. A parameter of networks has one value for all networks, or one for
 * each.
 */
export type GivenParameters<P extends ParameterSpecs> = {
  readonly [K in keyof P]?: P[K]["of"] extends "merge"
    ? PerTensor<ValueOf<P[K]>>
    : PerTensor<ValueOf<P[K]>> | readonly PerTensor<ValueOf<P[K]>>[];
};

/** Values of parameters for one tensor, checked: a network's parameter has one value for each network. */
export type TensorParameters<P extends ParameterSpecs> = {
  readonly [K in keyof P]: P[K]["of"] extends "network" ? readonly ValueOf<P[K]>[] : ValueOf<P[K]>;
};

/**
 * Makes a parameter with different values for some layers: the value of the first pattern that fits,
 * otherwise the value `rest`.
 *
 * @param values - values by patterns. A pattern is the name of a layer (`conv1`) or of a tensor
 *   (`conv1.weight`), with `*` for any characters and `?` for one
 * @param rest - value of the tensors that no pattern fits
 * @param names - names of all tensors; every pattern must fit at least one of them
 * @throws OutOfRangeError if a pattern fits no layer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { byLayer } from "@isthmus/merging";
 *
 * const names = ["conv.weight", "conv.bias", "fc.weight"];
 * const weight = byLayer(new Map([["conv", 0.5]]), 0, names);
 * assert.deepEqual(names.map(weight), [0.5, 0.5, 0]);
 * ```
 */
export function byLayer<T extends ParameterValue>(
  values: ReadonlyMap<string, T>,
  rest: T,
  names: readonly string[],
): (tensor: string) => T {
  assertLayerPatterns("give layers parameters of their own", values.keys(), names);
  return (tensor) => [...values].find(([pattern]) => fitsLayer(pattern, tensor))?.[1] ?? rest;
}

/** Tensor and number of networks for which parameters are resolved. */
export interface ParameterPlace {
  /** Name of the tensor, for messages. */
  readonly tensor: string;
  /** Number of networks, for each of which a parameter of networks needs a value. */
  readonly networks: number;
  /** Attempt for the beginning of messages, such as `aggregate by krum`. @defaultValue a merge */
  readonly attempt?: string;
}

/**
 * Resolves the parameters of a method for one tensor.
 * @param method - name of the method, for messages
 * @param where - the tensor, the number of networks and, unless the attempt is a merge, the attempt for the
 *   beginning of messages
 * @throws UsageError if a parameter is unknown or missing, or of another type
 * @throws OutOfRangeError if a value is out of its range, or the number of values differs from the number of
 *   networks
 */
export function resolveParameters<P extends ParameterSpecs>(
  method: string,
  specs: P,
  values: GivenParameters<P>,
  { tensor, networks, attempt }: ParameterPlace,
): TensorParameters<P> {
  const unknown = Object.keys(values).find((name) => !Object.hasOwn(specs, name));
  if (unknown !== undefined) {
    throw new UsageError(
      `Cannot ${attempt ?? `merge by ${method}`} as there is no parameter "${unknown}": known are ${Object.keys(specs).sort().join(", ") || "none"}`,
    );
  }
  const resolved = Object.entries(specs).map(([name, spec]) => {
    const parameter = attempt === undefined ? `"${name}" of ${method}` : `"${name}"`;
    const rejected = `Cannot ${attempt ?? "merge"} as ${parameter}`;
    const ofTensor = attempt === undefined ? `Cannot merge "${tensor}" as ${parameter}` : rejected;
    if ((values[name] ?? spec.default) === undefined) {
      throw new UsageError(`${rejected} must be given: it is missing`);
    }
    const ofNetworks = listValues(parameter, spec, values[name], networks).map((value) => {
      const single = typeof value === "function" ? value(tensor) : value;
      assertValue(ofTensor, spec, single);
      return single;
    });
    return [name, spec.of === "network" ? ofNetworks : at(ofNetworks, 0, "value")] as const;
  });
  return Object.fromEntries(resolved) as TensorParameters<P>;
}

type AnyValue = PerTensor<ParameterValue>;

/** Lists the values of a parameter: one for each network, or a single value for the merge. */
function listValues(
  parameter: string,
  { of, default: fallback }: ParameterSpec,
  values: AnyValue | readonly AnyValue[] | undefined,
  networks: number,
): readonly AnyValue[] {
  const value = (values ?? fallback) as AnyValue | readonly AnyValue[];
  if (of === "merge") return [value as AnyValue];
  if (!Array.isArray(value)) return Array.from({ length: networks }, () => value as AnyValue);
  if (value.length === networks) return value;
  throw new OutOfRangeError(
    `Cannot merge ${networks} networks as ${parameter} needs one value for each: got ${value.length}`,
  );
}

function assertValue(
  rejected: string,
  { default: fallback, least = -Infinity, most = Infinity, whole = false, choices }: ParameterSpec,
  value: ParameterValue,
): void {
  const type = typeof (fallback ?? choices?.at(0) ?? 0);
  if (typeof value !== type) {
    throw new UsageError(`${rejected} must be a ${type}: it is ${JSON.stringify(value)}`);
  }
  if (typeof value === "number" && !(Number.isFinite(value) && value >= least && value <= most)) {
    const range = Number.isFinite(least) || Number.isFinite(most) ? ` in [${least}, ${most}]` : "";
    throw new OutOfRangeError(`${rejected} must be a finite number${range}: it is ${value}`);
  }
  if (whole && !Number.isSafeInteger(value)) {
    throw new OutOfRangeError(`${rejected} must be a whole number: it is ${value}`);
  }
  if (choices !== undefined && !choices.includes(value)) {
    throw new OutOfRangeError(`${rejected} must be one of ${choices.join(", ")}: it is ${value}`);
  }
}
