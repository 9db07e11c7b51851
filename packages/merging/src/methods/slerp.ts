import { at } from "@isthmus/core";
import { arcInto, measureAngle } from "@isthmus/interpolation";
import type { MergeMethod } from "../merge-method.ts";

const PARAMETERS = {
  t: {
    description: "Place on the arc: 0 is the first network, 1 the second.",
    of: "merge",
    default: 0.5,
    least: 0,
    most: 1,
  },
} as const;

/**
 * The point on the arc between two networks, tensor by tensor; the angle is measured over each whole
 * tensor.
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
export const slerp: MergeMethod<typeof PARAMETERS, number | undefined> = {
  name: "slerp",
  description: "Goes from the first network to the second on the arc of each tensor.",
  source: "Shoemake, Animating rotation with quaternion curves, 1985, section 3.3",
  parameters: PARAMETERS,
  networks: { least: 2, most: 2, base: "none" },
  integersFrom: ({ t }) => (t < 0.5 ? 0 : 1),
  survey: ({ name, networks: [a, b], parameters: { t } }) =>
    b === undefined || t === 0 || t === 1 ? undefined : measureAngle([a, b], name),
  blendInto({ parts, survey: angle, tensor }, out) {
    arcInto(at(parts, 0), at(parts, 1), { t: tensor.parameters.t, angle }, out);
  },
};
