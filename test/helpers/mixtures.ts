import { type MixingMatrix, type Mixture, mixInPlace } from "../../packages/symmetry/src/mixing/mix-units.ts";

/** Returns the elements of a matrix that mixes units, `[size, size]` row-major: the units of an identity matrix, mixed. */
export function elementsOf(matrix: MixingMatrix, size: number): Float64Array {
  const elements = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const bases = Int32Array.from({ length: size }, (_, i) => size * i);
  const offsets = Int32Array.from({ length: size }, (_, i) => i);
  mixInPlace(elements, [{ space: 0, isInverse: false, bases, offsets }], {
    matrices: [matrix],
    inverses: [],
  });
  return elements;
}

/** Returns a mixture with the elements of its matrices in place of their factors. */
export function writtenOut(
  { matrices, inverses }: Mixture<MixingMatrix>,
  spaces: readonly { readonly size: number }[],
): Mixture {
  const elements = (list: readonly MixingMatrix[]) =>
    spaces.flatMap(({ size }, space) => list.slice(space, space + 1).map((one) => elementsOf(one, size)));
  return { matrices: elements(matrices), inverses: elements(inverses) };
}
