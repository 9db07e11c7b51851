import type { BarrierValues } from "@isthmus/barrier";
import type { LossFields } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";
import type { LandscapeKind, Normalization, VectorPolicy } from "./landscape-options.ts";
import type { GridTopology } from "./topology/grid-topology.ts";

/** One direction of a landscape. */
export interface LandscapeDirection {
  readonly label: string;
  /** Distance between weights that one unit of the coordinate is. */
  readonly length: number;
  /** Eigenvalue of the Hessian that it is the vector of; of eigenvectors only. */
  readonly eigenvalue?: number;
  /** An eigenvalue is at most this far from `eigenvalue`. */
  readonly residual?: number;
  /** Share of the variance of a trajectory along it, in `[0, 1]`; of trajectories only. */
  readonly explained?: number;
  /** First derivative of the mean loss along it by the coordinate, at the network, if it was measured. */
  readonly slope?: number;
  /** Second derivative of the mean loss along it, at the network, by the coordinate. */
  readonly curvature?: number;
}

/** A network in a landscape. */
export interface LandscapeNetwork {
  readonly label: string;
  readonly source: string;
  /** Coordinate along every direction of the place nearest to it. */
  readonly place: readonly number[];
  /** Distance from that place, in units of distance between weights. */
  readonly distance: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of examples classified wrongly, in `[0, 1]`. */
  readonly error: number;
}

/** What the losses on the way from an initialization to the trained network say. */
export interface InterpolationShape {
  /** Whether the loss never rises by more than what rounding makes of equal losses. */
  readonly monotone: boolean;
  /** The most that the loss rises from a place to any later one, in nats. */
  readonly largestRise: number;
  /** Where that rise begins and ends, in `[0, 1]`. */
  readonly from: number;
  readonly to: number;
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
}

/** Loss and error on a grid of places around a network. */
export interface LandscapeResult extends LossFields {
  readonly kind: "landscape";
  /** Where the directions come from. */
  readonly directions: LandscapeKind;
  readonly normalization: Normalization;
  readonly vectors: VectorPolicy;
  /** The directions, one for every axis. */
  readonly basis: readonly LandscapeDirection[];
  /** Cosine of the angle between every two directions, `[directions][directions]`. */
  readonly cosines: readonly (readonly number[])[];
  /** Ascending coordinates along every direction. */
  readonly axes: readonly (readonly number[])[];
  /**
   * Mean cross-entropy at all places in nats, in row-major order: along the last direction first; NaN (null
   * in JSON) if it is no number.
   */
  readonly loss: readonly number[];
  /** Share of examples classified wrongly, in the same order. */
  readonly error: readonly number[];
  /** The network, then the others, in their order. */
  readonly networks: readonly LandscapeNetwork[];
  /** Minima, saddles and the merge tree of the losses. */
  readonly topology: GridTopology;
  /** Of a line from an initialization only. */
  readonly interpolation?: InterpolationShape;
  /** How slopes, curvatures and eigenvectors were computed; absent if none were. */
  readonly derivatives?: "exact" | "finite-differences";
  /** Why they are not exact, or why there are no slopes and curvatures, though they were asked for. */
  readonly reason?: string;
  /** Whether eigenvectors are within the tolerance; of eigenvectors only. */
  readonly converged?: boolean;
  /** Examples that eigenvectors are of. */
  readonly hessianExamples?: number;
  readonly seed: number;
  readonly statistics: NormPolicy;
  readonly examples: number;
  readonly data: string;
  readonly engine: string;
}
