import { clipPoints } from "./clip-points.ts";
import type { PreAggregation } from "./pre-aggregation.ts";

const PARAMETERS = {
  bound: {
    description: "Largest length that the displacement of a client may have.",
    of: "merge",
    default: 2,
    least: 0,
  },
} as const;

/** Static clipping: each update that is longer than a bound is shortened to it. */
export const clipping: PreAggregation<typeof PARAMETERS> = {
  name: "clipping",
  description: "Shortens updates that are longer than a bound.",
  source:
    "Allouah et al., Adaptive gradient clipping for robust federated learning, 2025, section 3; byzfl 0.0.11",
  parameters: PARAMETERS,
  needsGram: true,
  mix: (points, { bound }) => clipPoints(points, bound),
};
