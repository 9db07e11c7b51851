import { asFloat32, type Checkpoint, type Elements, MismatchError, type Tensor } from "@isthmus/core";

/**
 * Divides magnitudes of a weight by the standard deviations of its elements: the ratio is 0 for elements that
 * are 0, and infinite for other elements of deviation 0.
 * @throws MismatchError if the deviations lack the weight, or have another number of elements for it
 */
export async function signalToNoise(
  attempt: string,
  { name, tensor }: { readonly name: string; readonly tensor: Tensor },
  deviations: Checkpoint,
): Promise<Elements> {
  const there = deviations.tensors.has(name) ? await deviations.read(name) : undefined;
  if (there === undefined || there.data.length !== tensor.data.length) {
    throw new MismatchError(
      `Cannot ${attempt} by signal to noise as "${deviations.source}" must have a standard deviation for each of the ${tensor.data.length} elements of "${name}": it has ${there?.data.length ?? "none"}`,
      { parameters: [name], input: deviations.source },
    );
  }
  const spread = asFloat32(there.data, there.dtype);
  const data = asFloat32(tensor.data, tensor.dtype).map((value, i) =>
    value === 0 ? 0 : Math.abs(value) / (spread[i] as number),
  );
  return { dtype: "f32", data };
}
