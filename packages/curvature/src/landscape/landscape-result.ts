import type { BarrierValues } from "@isthmus/barrier";
import type { LossFields } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";
import type { LandscapeKind, Normalization, VectorPolicy } from "./landscape-options.ts";
import type { GridTopology } from "./topology/grid-topology.ts";

/** One direction of a landscape. */
export interface LandscapeDirection {
  /** Name of the direction on its axis and in tables. */
  readonly label: string;
  /** Distance between weights per unit of the coordinate. */
  readonly length: number;
  /** Eigenvalue of the Hessian that belongs to the direction; only for eigenvectors. */
  readonly eigenvalue?: number;
  /** Largest distance of `eigenvalue` from an exact eigenvalue. */
  readonly residual?: number;
  /** Share of the variance of the trajectory along the direction, in `[0, 1]`; only for trajectories. */
  readonly explained?: number;
  /**
   * First derivative of the mean loss by the coordinate of the direction, at the network; absent if it was
   * not measured.
   */
  readonly slope?: number;
  /**
   * Second derivative of the mean loss by the coordinate of the direction, at the network; absent if it was
   * not measured.
   */
  readonly curvature?: number;
}

/** A network in a landscape. */
export interface LandscapeNetwork {
  /** Name of the network in figures and tables. */
  readonly label: string;
  /** Source of the network, such as its file. */
  readonly source: string;
  /** Coordinates, one for each direction, of the place of the landscape nearest to the network. */
  readonly place: readonly number[];
  /** Distance of the network from that place, in units of distance between weights. */
  readonly distance: number;
  /** Mean loss, in the unit of the result's loss (nats for cross-entropy). */
  readonly loss: number;
  /** Share of examples classified wrongly, in `[0, 1]`; NaN (null in JSON) if the loss has no errors. */
  readonly error: number;
}

/** Shape of the losses on the path from an initialization to the trained network. */
export interface InterpolationShape {
  /** Whether the loss never rises by more than rounding errors. */
  readonly monotone: boolean;
  /** Largest rise of the loss from a place to any later one, in nats. */
  readonly largestRise: number;
  /** Place at which that rise begins, in `[0, 1]`; it ends at `to`. */
  readonly from: number;
  /** Place at which the largest rise ends, in `[0, 1]`. */
  readonly to: number;
  /** Barriers of the loss and of the error on the path. */
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
}

/** Loss and error on a grid of places around a network. */
export interface LandscapeResult extends LossFields {
  /** Kind of the result. */
  readonly kind: "landscape";
  /** Source of the directions. */
  readonly directions: LandscapeKind;
  /** Normalization of every direction. */
  readonly normalization: Normalization;
  /** Whether directions move tensors of one axis, such as biases. */
  readonly vectors: VectorPolicy;
  /** The directions, one for every axis. */
  readonly basis: readonly LandscapeDirection[];
  /** Cosine of the angle between every two directions, `[directions][directions]`. */
  readonly cosines: readonly (readonly number[])[];
  /** Ascending coordinates along every direction. */
  readonly axes: readonly (readonly number[])[];
  /**
   * Mean loss at all places, in row-major order: along the last direction first; NaN (null
   * in JSON) if it is no number.
   */
  readonly loss: readonly number[];
  /**
   * Share of examples classified wrongly at all places, in the order of `loss`; NaN (null in JSON) if the
   * loss has no errors.
   */
  readonly error: readonly number[];
  /** The network, then the others, in their order. */
  readonly networks: readonly LandscapeNetwork[];
  /** Minima, saddles and the merge tree of the losses. */
  readonly topology: GridTopology;
  /** Shape of the losses; only for a line from an initialization. */
  readonly interpolation?: InterpolationShape;
  /** Method by which slopes, curvatures and eigenvectors were computed; absent if none of them were. */
  readonly derivatives?: "exact" | "finite-differences";
  /** Reason why derivatives are not exact, or why requested slopes and curvatures are missing. */
  readonly reason?: string;
  /** Whether the residuals of all eigenvectors are within the tolerance; only for eigenvectors. */
  readonly converged?: boolean;
  /** Number of examples whose Hessian gave the eigenvectors; only for eigenvectors. */
  readonly hessianExamples?: number;
  /** Seed of the random directions, and of random vectors for eigenvectors. */
  readonly seed: number;
  /** Treatment of batch norms of the networks on the grid. */
  readonly statistics: NormPolicy;
  /** Number of examples that were evaluated at each place. */
  readonly examples: number;
  /** Name of these examples. */
  readonly data: string;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
