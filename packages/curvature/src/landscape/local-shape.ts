import { at, type Checkpoint, isIsthmusError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { countBatchNorms } from "@isthmus/statistics";
import { hessian } from "../operators/hessian.ts";
import type { Direction } from "./directions/direction-values.ts";
import { joinVector } from "./directions/eigenvector-directions.ts";
import type { ResolvedOptions } from "./landscape-options.ts";
import type { LandscapeResult } from "./landscape-result.ts";

/** Slopes and curvatures of the loss along directions. */
export interface LocalShape extends Pick<LandscapeResult, "derivatives" | "reason"> {
  /** First and second derivative along each direction; empty if they could not be measured. */
  readonly along: readonly { readonly slope: number; readonly curvature: number }[];
}

/** Reason why nothing is measured at a network whose statistics were recalibrated. */
const RECALIBRATED =
  "batch norms are measured again at every place, so that derivatives at the network would be of another loss; keep their statistics to have slopes and curvatures";

/**
 * Measures the first and the second derivative of the mean loss along directions, at a network, on all
 * examples: one product with the Hessian for each.
 */
export async function measureLocal(
  architecture: Architecture,
  { network, data }: { readonly network: Checkpoint; readonly data: DataSet },
  directions: readonly Direction[],
  { local, statistics, batchSize, signal }: ResolvedOptions,
): Promise<LocalShape> {
  if (!local) return { along: [] };
  if (statistics === "recalibrate" && countBatchNorms(architecture.graph) > 0) {
    return { along: [], reason: RECALIBRATED };
  }
  try {
    const operator = await hessian(architecture, network, data, { batchSize, signal });
    try {
      const gradient = new Float64Array(operator.dimension);
      await operator.gradient(gradient);
      const along: { slope: number; curvature: number }[] = [];
      for (const { values } of directions) {
        const vector = joinVector(operator, values);
        const product = new Float64Array(operator.dimension);
        await operator.apply(vector, product);
        along.push({ slope: sumOfProducts(vector, gradient), curvature: sumOfProducts(vector, product) });
      }
      const { derivatives, reason } = operator;
      return { along, derivatives, ...(reason === undefined ? {} : { reason }) };
    } finally {
      await operator.release();
    }
  } catch (error) {
    if (!isIsthmusError(error, "UnsupportedError")) throw error;
    return { along: [], reason: error.message };
  }
}

function sumOfProducts(x: Float64Array, y: Float64Array): number {
  return x.reduce((sum, value, i) => sum + value * at(y, i, "element"), 0);
}
