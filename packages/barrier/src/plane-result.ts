import type { LossFields } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";

/** Network that is placed in a plane. */
export interface PlaneModel {
  /** Label of the network in figures. */
  readonly label: string;
  /** Source of the network: its file or folder, or a description. */
  readonly source: string;
  /** Coordinate along the first axis, in units of distance between weights. */
  readonly x: number;
  /** Coordinate along the second axis, in the same units. */
  readonly y: number;
  /**
   * Distance of the network from the plane, in units of distance between weights; about 0 for the three
   * networks that span it.
   */
  readonly distance: number;
  /** Mean loss, in the unit of the result's loss (nats for cross-entropy). */
  readonly loss: number;
  /** Share of examples classified wrongly, in `[0, 1]`; NaN (null in JSON) if the loss has no errors. */
  readonly error: number;
}

/** Loss and error on a grid of the plane through three networks. */
export interface PlaneResult extends LossFields {
  /** Kind of the result. */
  readonly kind: "plane";
  /** Ascending coordinates of the columns, in units of distance between weights. */
  readonly xs: readonly number[];
  /** Ascending coordinates of the rows. */
  readonly ys: readonly number[];
  /**
   * Mean loss, `[ys][xs]`; NaN (null in JSON) if a network's loss is not a number, for
   * example because running statistics are kept and were extrapolated to a negative variance.
   */
  readonly loss: readonly (readonly number[])[];
  /**
   * Share of examples classified wrongly, `[ys][xs]`, in `[0, 1]`; NaN (null in JSON) if
   * the loss has no errors.
   */
  readonly error: readonly (readonly number[])[];
  /** Networks that span the plane, three of them, then others that were placed in it. */
  readonly models: readonly PlaneModel[];
  /** Lines to draw in the plane, such as a curve that bends in it, as pairs `[x, y]`. */
  readonly paths: readonly {
    readonly label: string;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
  /** Treatment of batch norms of all networks. */
  readonly statistics: NormPolicy;
  /** Number of examples that were evaluated for each network. */
  readonly examples: number;
  /** Name of the examples that were evaluated. */
  readonly data: string;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
