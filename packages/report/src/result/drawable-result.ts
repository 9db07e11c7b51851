import type { BarrierCurve } from "@isthmus/barrier";
import type { Provenance, ResultKind } from "@isthmus/findings";
import type { BuiltInMeasurement } from "@isthmus/measurements";
import type { OtherResultKind } from "./result-kinds.ts";

/** Type of the results of a kind. */
type ResultOf<K> = K extends ResultKind<infer R> ? R : never;

/** Any result that can be drawn; files that a command wrote also contain that command. */
export type DrawableResult = ResultOf<BuiltInMeasurement | OtherResultKind> & {
  /** Command that wrote the file, with its version; absent if the result is from a script. */
  readonly provenance?: Provenance;
};

/** Anything that can be drawn: one result, or several named barriers to compare. */
export type Drawable = DrawableResult | readonly BarrierCurve[];

/** Checks whether a drawable holds named barriers rather than a single result. */
export function isNamedBarriers(drawable: Drawable): drawable is readonly BarrierCurve[] {
  return Array.isArray(drawable);
}
