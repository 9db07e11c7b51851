import {
  asFloat32,
  type Checkpoint,
  countNonFinite,
  formatNonFinite,
  formatShape,
  InputError,
  MismatchError,
  sameShape,
} from "@isthmus/core";
import type { SymmetrySpec, WeightLayout } from "@isthmus/symmetry";
import { votes } from "../coordinate-descent/alignment-objective.ts";

/**
 * Reads every parameter that a specification can move, as f32.
 * @throws MismatchError if the checkpoint lacks a parameter, or the shape of one differs
 * @throws InputError if a value is NaN or infinite; the parameter is named
 */
export async function readParameters(
  checkpoint: Checkpoint,
  spec: SymmetrySpec,
): Promise<Map<string, Float32Array>> {
  const parameters = new Map<string, Float32Array>();
  for (const [name, layout] of spec.weights) {
    if (!votes(layout)) continue;
    assertVoter(checkpoint, name, layout);
    const { dtype, data } = await checkpoint.read(name);
    const values = asFloat32(data, dtype);
    assertFinite(values, name, checkpoint.source);
    parameters.set(name, values);
  }
  return parameters;
}

/**
 * Checks that a checkpoint has a weight in the shape that the symmetries expect.
 * @throws MismatchError if it does not
 */
export function assertVoter(checkpoint: Checkpoint, name: string, layout: WeightLayout): void {
  const shape = checkpoint.tensors.get(name)?.shape;
  if (shape !== undefined && sameShape(shape, layout.shape)) return;
  const actual = shape === undefined ? "does not have it" : `has ${formatShape(shape)}`;
  throw new MismatchError(
    `Cannot match "${name}" of "${checkpoint.source}" as shapes must be equal: the symmetries are for ${formatShape(layout.shape)}, the checkpoint ${actual}`,
    { parameters: [name] },
  );
}

/**
 * Checks that a tensor that matching needs is finite.
 * @throws InputError if it is not; the tensor is named
 */
export function assertFinite(values: Float32Array, name: string, source: string): void {
  const count = countNonFinite({ dtype: "f32", data: values });
  if (count === undefined) return;
  throw new InputError(
    `Cannot match "${name}" of "${source}" as weights must be finite: ${formatNonFinite(count, values.length)}`,
    { input: source },
  );
}
