import { fromFloat64Into, toFloat64 } from "@isthmus/core";
import { takeLargestChange } from "../kernels/elementwise.ts";
import type { MergeMethod } from "../merge-method.ts";

const PARAMETERS = {
  lambda: {
    description: "Factor of the changes that are taken.",
    of: "merge",
    default: 0.5,
  },
} as const;

/**
 * The base with the largest change of each element over all networks; of equally large ones that of the
 * last.
 */
export const magmax: MergeMethod<typeof PARAMETERS> = {
  name: "magmax",
  description: "Takes for each element the largest change that any network made to the base.",
  source:
    "Marczak et al., MagMax: leveraging model merging for seamless continual learning, 2024, equation 2",
  parameters: PARAMETERS,
  networks: { least: 1, base: "required" },
  blendInto({ tensor, parts, base }, out) {
    if (base === undefined) return;
    const merged = toFloat64(base.data, base.dtype);
    const changed = parts.map(({ data, dtype }) => toFloat64(data, dtype));
    takeLargestChange(merged, changed, tensor.parameters.lambda);
    fromFloat64Into(merged, out.dtype, out.data);
  },
};
