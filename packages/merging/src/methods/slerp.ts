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
