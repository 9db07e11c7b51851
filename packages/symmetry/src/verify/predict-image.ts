import type { Alignment } from "../alignment.ts";
import type { Symmetries } from "../derive-spec.ts";
import { identityImage, labelImage, permuteFamilies } from "../read-off/class-permutation.ts";

/**
 * Predicts the label that every label of a graph goes to when weights are permuted by an alignment. Families
 * that lie in no weight, and so are not part of the specification, follow the others.
 */
export function predictImage({ group, units }: Symmetries, { source }: Alignment): Int32Array {
  const { classes, families } = group;
  const image = identityImage(classes);
  source.forEach((unit, place) => {
    image[units.classOf[unit] as number] = units.classOf[place] as number;
  });
  const hidden = families.filter((family) => !units.firstUnit.has(family));
  permuteFamilies(hidden, image, (_, target) => target);
  return labelImage(classes, image);
}
