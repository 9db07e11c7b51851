import { type Checkpoint, defineCheckpoint, formatShape, MismatchError, sameShape } from "@isthmus/core";
import { listNames } from "@isthmus/graph/ir";
import type { Alignment } from "./alignment.ts";
import { assertAlignment } from "./assert-alignment.ts";
import { axisTables } from "./axis-tables.ts";
import { readPermutedInto } from "./read-permuted.ts";
import type { SymmetrySpec, WeightLayout } from "./spec.ts";

/**
 * Applies an alignment to a checkpoint: the result computes the same function, with its units in other
 * places.
 *
 * Lazy: a tensor is permuted when it is read. Tensors that are not in the specification pass through
 * unchanged.
 *
 * @throws MismatchError if the alignment is not of this specification, or if a weight is missing from the
 *   checkpoint or has another shape
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { readGraph } from "@isthmus/graph";
 * import { discoverSymmetries, invert, permute, randomAlignment } from "@isthmus/symmetry";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const alignment = randomAlignment(spec, 0);
 * const shuffled = permute(alignment, network, spec); // computes the same
 * const back = permute(invert(alignment), shuffled, spec);
 * assert.deepEqual(await back.read("layers.0.bias"), await network.read("layers.0.bias"));
 * await network.close();
 * ```
 */
export function permute(alignment: Alignment, checkpoint: Checkpoint, spec: SymmetrySpec): Checkpoint {
  assertAlignment(spec, alignment);
  assertFits(checkpoint, spec);
  // A tensor is read range by range, and all of its ranges share one set of tables.
  let latest: { readonly name: string; readonly tables: Int32Array[] } | undefined;
  const tablesOf = (name: string, layout: WeightLayout): Int32Array[] => {
    if (latest?.name !== name) latest = { name, tables: axisTables(layout, alignment) };
    return latest.tables;
  };
  return defineCheckpoint({
    source: `${checkpoint.source} (permuted)`,
    tensors: checkpoint.tensors,
    metadata: checkpoint.metadata,
    inputs: [checkpoint],
    async readInto(name, begin, out) {
      const layout = spec.weights.get(name);
      if (layout === undefined || layout.fields.length === 0) {
        await checkpoint.readRangeInto(name, begin, out);
        return;
      }
      await readPermutedInto({ checkpoint, name, tables: tablesOf(name, layout) }, begin, out);
    },
  });
}

/**
 * Checks that a network has every weight that a specification moves, in the right shape.
 *
 * @param network - a checkpoint, or the weights of a graph under its name
 * @throws MismatchError if it does not; the weights are named
 */
export function assertFits({ source, tensors }: PermutableNetwork, { weights }: SymmetrySpec): void {
  const moving = [...weights].filter(([, { fields }]) => fields.length > 0);
  const missing = moving.flatMap(([name]) => (tensors.has(name) ? [] : [name]));
  if (missing.length > 0) {
    const names = listNames(missing.map((name) => `"${name}"`));
    throw new MismatchError(
      `Cannot permute "${source}" as it must have every weight that the symmetries move: ${missing.length} of ${moving.length} are not there, ${names}`,
      { parameters: missing },
    );
  }
  for (const [name, { shape }] of weights) {
    const actual = tensors.get(name)?.shape;
    if (actual === undefined || sameShape(actual, shape)) continue;
    throw new MismatchError(
      `Cannot permute "${name}" of "${source}" as its shape must be that of the symmetries: ${formatShape(actual)} and ${formatShape(shape)}`,
      { parameters: [name] },
    );
  }
}

/** The names and shapes that {@link assertFits} checks. */
interface PermutableNetwork {
  readonly source: string;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}
