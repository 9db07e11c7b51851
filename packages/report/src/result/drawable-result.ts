import type { BarrierCurve } from "@isthmus/barrier";
import type { Provenance, ResultKind } from "@isthmus/findings";
import type { BuiltInMeasurement } from "@isthmus/measurements";
import type { OtherResultKind } from "./result-kinds.ts";

/** The results of a kind. */
type ResultOf<K> = K extends ResultKind<infer R> ? R : never;

/** Any result that can be drawn; files that a command wrote say which one it was. */
export type DrawableResult = ResultOf<BuiltInMeasurement | OtherResultKind> & {
  readonly provenance?: Provenance;
};

/** Anything that can be drawn: one result, or several barriers under names of their own, to be compared. */
export type Drawable = DrawableResult | readonly BarrierCurve[];

/** Tells named barriers from a single result. */
export function isNamedBarriers(drawable: Drawable): drawable is readonly BarrierCurve[] {
  return Array.isArray(drawable);
}
