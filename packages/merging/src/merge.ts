import { at, type Checkpoint, entry, InputError } from "@isthmus/core";
import { combine } from "@isthmus/interpolation";
import type { MergedTensor, MergeMethod } from "./merge-method.ts";
import {
  type GivenParameters,
  type ParameterSpecs,
  resolveParameters,
  type TensorParameters,
} from "./parameters.ts";

/** How networks are merged. */
export interface MergeOptions<P extends ParameterSpecs = ParameterSpecs, S = unknown> {
  readonly method: MergeMethod<P, S>;
  /** Values of the method's parameters. @defaultValue the defaults of the method */
  readonly parameters?: GivenParameters<P>;
  /** The network that the others were made from; only for methods that take one. */
  readonly base?: Checkpoint | undefined;
}

/**
 * Merges networks by a method, lazily: nothing is computed before it is read, and then range by range.
 *
 * The result has the names, order, element types and metadata of the first network. Integer tensors, such
 * as counters of batches,
 * are not averaged: they are taken from one network, by default the first.
 *
 * @param networks - checkpoints of one structure, in the order that parameters of networks are listed in
 * @throws InputError if there are too few or too many networks for the method, or a base is missing or of
 *   no use
 * @throws MismatchError if names or shapes differ
 * @throws UsageError if a parameter is unknown, missing or of another type
 * @throws OutOfRangeError if the value of a parameter is out of its range for a tensor
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { linear, merge } from "@isthmus/merging";
 *
 * const vector = (x: number) => createTensor("f32", [2], Float32Array.of(x, 2 * x));
 * const network = (x: number) => createCheckpoint({ w: vector(x) });
 * const merged = merge([network(1), network(5)], { method: linear, parameters: { weight: [3, 1] } });
 * assert.deepEqual((await merged.read("w")).data, Float32Array.of(2, 4));
 * ```
 */
export function merge<P extends ParameterSpecs, S>(
  networks: readonly Checkpoint[],
  { method, parameters = {}, base }: MergeOptions<P, S>,
): Checkpoint {
  assertNetworks(method, networks, base);
  const [first, ...others] = networks as readonly [Checkpoint, ...Checkpoint[]];
  const tensors = new Map(
    [...first.tensors].map(([name, info]): [string, MergedTensor<P>] => {
      const asked = { tensor: name, networks: networks.length };
      const resolved = resolveParameters(method.name, method.parameters, parameters, asked);
      return [name, { name, info, networks: [first, ...others], base, parameters: resolved }];
    }),
  );
  const keptFrom = (values: TensorParameters<P>) =>
    at(networks, method.integersFrom?.(values) ?? 0, "network");
  return combine({
    source: `${method.name}(${networks.map(({ source }) => source).join(", ")})`,
    inputs: base === undefined ? [first, ...others] : [first, ...others, base],
    integersFrom: (name) => keptFrom(entry(tensors, name, "tensor").parameters),
    survey: async (name): Promise<S> => method.survey?.(entry(tensors, name, "tensor")) as S,
    blend({ name, begin }, all, out, survey) {
      const parts = all.slice(0, networks.length);
      const range = { tensor: entry(tensors, name, "tensor"), begin, parts, base: all[networks.length] };
      return method.blendInto({ ...range, survey }, out);
    },
  });
}

function assertNetworks(
  { name, networks: rule }: Pick<MergeMethod, "name" | "networks">,
  networks: readonly Checkpoint[],
  base: Checkpoint | undefined,
): void {
  const { least, most = Number.POSITIVE_INFINITY } = rule;
  const input = networks[0]?.source ?? "networks";
  if (networks.length < least || networks.length > most) {
    const allowed =
      most === Number.POSITIVE_INFINITY
        ? `at least ${least}`
        : least === most
          ? least
          : `${least} to ${most}`;
    throw new InputError(`Cannot merge by ${name} as it takes ${allowed} networks: got ${networks.length}`, {
      input,
    });
  }
  if (base === undefined && rule.base === "required") {
    throw new InputError(
      `Cannot merge by ${name} as it compares networks with the one they were made from: give it as base`,
      { input },
    );
  }
  if (base !== undefined && rule.base === "none") {
    throw new InputError(
      `Cannot merge by ${name} with a base as it looks at none: leave out "${base.source}"`,
      {
        input: base.source,
      },
    );
  }
}
