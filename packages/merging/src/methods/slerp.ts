import { at, MismatchError, sizeOf } from "@isthmus/core";
import type { MergedTensor, MergeMethod } from "../merge-method.ts";
import { type ArcFactors, arcFactors, cosineOf } from "../sphere/arc.ts";
import { measureGram } from "../sphere/measure-gram.ts";
import { addWeightedInto } from "../weighted-sum.ts";

const PARAMETERS = {
  t: {
    description: "Place on the arc: 0 is the first network, 1 the second.",
    of: "merge",
    usual: { least: 0, most: 1, beyond: "goes on along the circle, beyond the networks" },
  },
  dot_threshold: {
    description: "Cosine above which two tensors are near enough to take the line between them.",
    of: "merge",
    default: 0.9995,
    least: 0,
    most: 1,
  },
} as const;

/**
 * Point on the arc between two networks, tensor by tensor; the angle is measured over each whole tensor. For
 * `t` below 0 or above 1 it lies on the same circle, beyond the networks.
 *
 * Tensors of nearly one direction are merged on the line, as in mergekit; so are single numbers. A tensor of
 * zeros counts as orthogonal. Opposite tensors are an error; mergekit takes the line through zero for them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { merge, slerp } from "@isthmus/merging";
 *
 * const vector = (...w: number[]) => createTensor("f32", [2], Float32Array.from(w));
 * const network = (...w: number[]) => createCheckpoint({ w: vector(...w) });
 * const merged = merge([network(1, 0), network(0, 1)], { method: slerp, parameters: { t: 0.5 } });
 * const { data } = await merged.read("w");
 * assert(Math.abs(Math.hypot(Number(data[0]), Number(data[1])) - 1) < 1e-6); // on the arc, not on the chord
 * ```
 */
export const slerp: MergeMethod<typeof PARAMETERS, ArcFactors> = {
  name: "slerp",
  description: "Goes from the first network to the second on the arc of each tensor.",
  source: "Shoemake, Animating rotation with quaternion curves, 1985, section 3.3; mergekit 0.1.5, slerp",
  parameters: PARAMETERS,
  networks: { least: 2, most: 2, base: "none" },
  integersFrom: ({ t }) => (t < 0.5 ? 0 : 1),
  async survey(tensor) {
    const { t, dot_threshold } = tensor.parameters;
    const line: ArcFactors = [1 - t, t];
    if (t === 0 || t === 1 || sizeOf(tensor.info.shape) <= 1) return line;
    const [[squareA = 0, product = 0] = [], [, squareB = 0] = []] = await measureGram(tensor);
    const cosine = cosineOf(product, squareA, squareB);
    if (cosine <= -OPPOSITE) throw opposite(tensor);
    return cosine > Math.min(dot_threshold, OPPOSITE) ? line : arcFactors(cosine, t);
  },
  blendInto: ({ parts, survey: factors }, out) => addWeightedInto(parts, factors, out),
};

/**
 * Size of a cosine above which directions have no arc between them: division by the sine would add only
 * noise.
 */
const OPPOSITE = 1 - 1e-6;

function opposite({ name, networks }: MergedTensor<typeof PARAMETERS>): MismatchError {
  const [a, b] = [at(networks, 0), at(networks, 1)];
  return new MismatchError(
    `Cannot merge "${name}" of "${a.source}" and "${b.source}" by slerp as they must not point in opposite directions: ` +
      "they do; use method linear for it, or align the networks first",
    { parameters: [name] },
  );
}
