/** A value at one place of a path; a structural subset of `BarrierPoint` of `@isthmus/barrier`. */
export interface DrawablePoint {
  /** Place on the path, in `[0, 1]`. */
  readonly t: number;
  /** Mean loss, in nats. */
  readonly loss: number;
  /** Share of wrongly classified examples, in `[0, 1]`. */
  readonly error: number;
}

/** The published definitions of one barrier, in the unit of its measure. */
export interface DrawableValues {
  readonly chord: number;
  readonly meanOfEndpoints: number;
  readonly maxEndpoint: number;
  readonly midpoint: number;
  /** Where the chord barrier is reached, in `[0, 1]`. */
  readonly at: number;
}

/** An interval of a chord barrier. */
export interface DrawableInterval {
  readonly low: number;
  readonly high: number;
}

/**
 * What a barrier picture needs of a measurement.
 *
 * Every `BarrierResult` of `@isthmus/barrier` is one; so is its JSON read back from a file.
 */
export interface DrawableBarrier {
  /** Ascending in t, from 0 to 1; at least two. */
  readonly points: readonly DrawablePoint[];
  readonly barrier: { readonly loss: DrawableValues; readonly error: DrawableValues };
  readonly interval?: {
    /** Coverage, for example 0.95. */
    readonly level: number;
    readonly resamples: number;
    readonly seed: number;
    readonly loss: DrawableInterval;
    readonly error: DrawableInterval;
  };
  readonly path: string;
  readonly statistics: string;
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  readonly engine: string;
}

/** One named curve of a picture. */
export interface BarrierCurve {
  /** Short name for the legend, for example `aligned`. */
  readonly label: string;
  readonly result: DrawableBarrier;
}

/** What a curve shows: the loss in nats or the classification error. */
export type Measure = "loss" | "error";

/**
 * Checks that curves can be drawn.
 * @throws TypeError if there is no curve, or one has fewer than two points or a value that is not finite
 */
export function assertDrawable(curves: readonly BarrierCurve[]): void {
  if (curves.length === 0)
    throw new TypeError("Cannot draw a barrier as at least one curve is needed: got 0");
  for (const { label, result } of curves) {
    if (result.points.length < 2) {
      throw new TypeError(
        `Cannot draw "${label}" as a curve needs at least 2 points: it has ${result.points.length}`,
      );
    }
    for (const { t, loss, error } of result.points) {
      if (![t, loss, error].every(Number.isFinite)) {
        throw new TypeError(
          `Cannot draw "${label}" as every value must be finite: at t = ${t} the loss is ${loss} and the error ${error}`,
        );
      }
    }
  }
}

/** Height of the chord, the straight line between the ends of a curve, at place `t`. */
export function chordAt(result: DrawableBarrier, measure: Measure, t: number): number {
  const first = result.points[0]?.[measure] ?? 0;
  const last = result.points.at(-1)?.[measure] ?? 0;
  return (1 - t) * first + t * last;
}
