import { at, type DType, InputError } from "@isthmus/core";
import type { MergePlan, PlannedSource } from "@isthmus/merging";
import { compileFilter } from "../settings/filter.ts";
import { isMerged } from "./summarize-plan.ts";

/** A tensor of a network, by the network's path. */
export interface ExplainedSource {
  /** File or folder of the network. */
  readonly network: string;
  /** Name of the tensor in the network. */
  readonly tensor: string;
}

/** Explanation of how one tensor of a plan is made, as plain data. */
export interface TensorExplanation {
  /** Name of the tensor in the result. */
  readonly tensor: string;
  /** Element type of the tensor in the result. */
  readonly dtype: DType;
  /** Shape of the tensor in the result. */
  readonly shape: readonly number[];
  /** Name of the method; null if the tensor is copied. */
  readonly method: string | null;
  /** Tensors that are merged, or the tensor that is copied; without the base. */
  readonly sources: readonly ExplainedSource[];
  /** Tensor of the base; null if the method compares with no base. */
  readonly base: ExplainedSource | null;
  /** Values of all parameters, including defaults. A parameter of networks has one value for each source. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Settings that gave the values, with their places in the recipe. */
  readonly reason: string;
}

/**
 * Explains how the tensors whose names match a pattern are made: by which method, from which tensors, and
 * with which values of parameters.
 * @param pattern - a filter, as in recipes
 * @throws InputError if no tensor of the result matches the pattern
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { explainPlan, openRecipe, parseRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * const { plan, close } = await openRecipe(recipe);
 * const [bias] = explainPlan(plan, "layers.3.bias");
 * assert.deepEqual(bias?.parameters["weight"], [1, 1]);
 * assert.equal(bias?.sources.length, 2);
 * await close();
 * ```
 */
export function explainPlan({ networks, tensors }: MergePlan, pattern = "*"): readonly TensorExplanation[] {
  const fits = compileFilter(pattern);
  const placeOf = ({ network, tensor }: PlannedSource): ExplainedSource => ({
    network: at(networks, network, "network").source,
    tensor,
  });
  const explained = [...tensors].flatMap(([tensor, planned]): readonly TensorExplanation[] => {
    if (!fits(tensor)) return [];
    const { info, method, sources, base, parameters, reason } = planned;
    return [
      {
        tensor,
        ...info,
        reason,
        parameters,
        method: method !== undefined && isMerged(planned) ? method.name : null,
        sources: sources.map(placeOf),
        base: base === undefined ? null : placeOf(base),
      },
    ];
  });
  if (explained.length > 0) return explained;
  const [first] = tensors.keys();
  throw new InputError(
    `Cannot explain "${pattern}" as it must match a tensor: it matches none of ${tensors.size}, such as "${first}"`,
    { input: pattern },
  );
}
