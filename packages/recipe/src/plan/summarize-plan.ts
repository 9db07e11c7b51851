import { at, byteLengthOf, DTYPES, entry } from "@isthmus/core";
import type { MergePlan, PlannedSource, PlannedTensor } from "@isthmus/merging";

/** A tensor of a network from which no tensor of the result is made. */
export interface AbsentTensor {
  /** File or folder of the network. */
  readonly network: string;
  /** Name of the tensor in the network. */
  readonly tensor: string;
}

/** Summary of a plan. */
export interface PlanSummary {
  /** Number of tensors that a method computes. */
  readonly merged: number;
  /** Number of tensors that are copied from one network, possibly with conversion to another element type. */
  readonly copied: number;
  /** Tensors of networks that are not used. */
  readonly absent: readonly AbsentTensor[];
  /** Bytes to read if every tensor is read once; methods that survey whole tensors first read them again. */
  readonly bytesRead: number;
  /** Bytes of all tensors of the result. */
  readonly bytesWritten: number;
}

/**
 * Counts the tensors that a plan merges, copies and leaves out, and the bytes that it reads and writes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openRecipe, parseRecipe, summarizePlan } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * const { plan, close } = await openRecipe(recipe);
 * const { merged, copied, bytesRead, bytesWritten } = summarizePlan(plan);
 * assert.deepEqual([merged, copied], [8, 0]);
 * assert.equal(bytesRead, 2 * bytesWritten);
 * await close();
 * ```
 */
export function summarizePlan({ networks, tensors }: MergePlan): PlanSummary {
  const used = networks.map(() => new Set<string>());
  let [merged, bytesRead, bytesWritten] = [0, 0, 0];
  for (const planned of tensors.values()) {
    const sources = sourcesOf(planned);
    for (const { network, tensor } of sources) {
      at(used, network, "network").add(tensor);
      bytesRead += byteLengthOf(entry(at(networks, network, "network").tensors, tensor, "tensor"));
    }
    bytesWritten += byteLengthOf(planned.info);
    if (isMerged(planned)) merged++;
  }
  const absent = networks.flatMap(({ source, tensors: names }, i) =>
    [...names.keys()]
      .filter((tensor) => !at(used, i, "network").has(tensor))
      .map((tensor): AbsentTensor => ({ network: source, tensor })),
  );
  return { merged, copied: tensors.size - merged, absent, bytesRead, bytesWritten };
}

/** Checks whether a tensor is computed by a method; integers never are. */
export function isMerged({ method, info }: PlannedTensor): boolean {
  return method !== undefined && DTYPES[info.dtype].float;
}

function sourcesOf({ sources, base, measured = [] }: PlannedTensor): readonly PlannedSource[] {
  return [...sources, ...(base === undefined ? [] : [base]), ...measured];
}
