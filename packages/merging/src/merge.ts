import {
  assertCheckpoint,
  assertSameStructure,
  type Checkpoint,
  InputError,
  OutOfRangeError,
} from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import type { MergeMethod } from "./merge-method.ts";
import { type MergePlan, mergeByPlan, type PlannedSource, type PlannedTensor } from "./merge-plan.ts";
import { type GivenParameters, type ParameterSpecs, resolveParameters } from "./parameters.ts";
import { assertMeasured } from "./with-data/assert-measured.ts";

/** Options of {@link merge}. */
export interface MergeOptions<P extends ParameterSpecs = ParameterSpecs, S = unknown> {
  /** Method that merges the tensors. */
  readonly method: MergeMethod<P, S>;
  /** Values of the method's parameters. @defaultValue the defaults of the method */
  readonly parameters?: GivenParameters<P>;
  /** Base that the networks were fine-tuned from, only for methods that use one. */
  readonly base?: Checkpoint | undefined;
  /**
   * Statistics of the data of each network, for methods that need them: Gram matrices for `regmean` and
   * `esm`, Fisher information for `fisher`. Tensors that the first of these files lacks are merged without
   * statistics. @defaultValue no statistics
   */
  readonly measured?: readonly Checkpoint[] | undefined;
  /** Seed of methods that draw random numbers, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Multiplier of matrices, for methods that need one; `createProducts(engine)` is several times faster.
   * @defaultValue `plainProducts`
   */
  readonly products?: MatrixProducts | undefined;
}

/**
 * Merges networks by a method, lazily: nothing is computed before it is read, and then range by range.
 *
 * The result has the names, order, element types and metadata of the first network. Integer tensors, such as
 * counters of batches, are not averaged: they are copied from one network, by default the first.
 *
 * @param networks - checkpoints of one structure, in the order of the values of their parameters
 * @throws InputError if there are too few or too many networks for the method, or a base is missing or not
 *   used
 * @throws MismatchError if names or shapes differ, or statistics have other shapes than tensors need
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
  options: MergeOptions<P, S>,
): Checkpoint {
  return mergeByPlan(planMerge(networks, options));
}

/** Plans a merge of networks of one structure, in which every tensor has the same rule. */
export function planMerge<P extends ParameterSpecs, S>(
  networks: readonly Checkpoint[],
  { method, parameters = {}, base, measured = [], seed = 0, products }: MergeOptions<P, S>,
): MergePlan {
  const [first, ...others] = assertNetworks(method, networks, base);
  const all = base === undefined ? others : [...others, base];
  for (const other of all) assertSameStructure(first, other);
  assertMeasured(method, measured, first, networks.length);
  const ofNetworks = (tensor: string): [PlannedSource, ...PlannedSource[]] => [
    { network: 0, tensor },
    ...others.map((_, i): PlannedSource => ({ network: i + 1, tensor })),
  ];
  const tensors = [...first.tensors].map(([name, info]): [string, PlannedTensor] => {
    const asked = { tensor: name, networks: networks.length };
    const resolved = resolveParameters(method.name, method.parameters, parameters, asked);
    const conflict = method.findConflict?.(resolved, networks.length);
    if (conflict !== undefined)
      throw new OutOfRangeError(
        `Cannot merge "${name}" as "${conflict.parameter}" of ${method.name} ${conflict.text}`,
      );
    const planned = {
      info,
      sources: ofNetworks(name),
      // Parameters are resolved by the description of their method, so they have the types it expects.
      method: method as unknown as MergeMethod,
      parameters: resolved,
      reason: `${method.name} for all tensors`,
      base: base && { network: networks.length, tensor: name },
      measured: measured[0]?.tensors.has(name)
        ? measured.map((_, i) => ({ network: 1 + all.length + i, tensor: name }))
        : undefined,
    };
    return [name, planned];
  });
  return {
    source: `${method.name}(${networks.map(({ source }) => source).join(", ")})`,
    networks: [first, ...all, ...measured],
    tensors: new Map(tensors),
    metadata: first.metadata,
    seed,
    products,
  };
}

function assertNetworks(
  { name, networks: rule }: Pick<MergeMethod, "name" | "networks">,
  networks: readonly Checkpoint[],
  base: Checkpoint | undefined,
): readonly [Checkpoint, ...Checkpoint[]] {
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
  for (const network of networks) assertCheckpoint(`merge by ${name}`, network);
  return networks as readonly [Checkpoint, ...Checkpoint[]];
}
