import type { BARRIER_RESULT } from "@isthmus/barrier";
import { UsageError } from "@isthmus/core";
import type { CURVATURE_HISTORY_RESULT } from "@isthmus/curvature";
import type { MeasuredResult, ResultKind } from "@isthmus/findings";
import { listMeasurements, loadMeasurement } from "@isthmus/measurements";
import type { COMPARISON_RESULT } from "@isthmus/recipe";
import type { SIMULATION_RESULT } from "@isthmus/simulation";
import type { PRUNE_RESULT } from "@isthmus/sparsity";
import type { STAR_RESULT } from "@isthmus/star-domain";
import type { STUDY_RESULT } from "@isthmus/study";

/** Kinds of results that do not come from a measurement. */
interface OtherKinds {
  readonly barrier: typeof BARRIER_RESULT;
  readonly star: typeof STAR_RESULT;
  readonly study: typeof STUDY_RESULT;
  readonly simulation: typeof SIMULATION_RESULT;
  readonly comparison: typeof COMPARISON_RESULT;
  readonly "curvature-history": typeof CURVATURE_HISTORY_RESULT;
  readonly prune: typeof PRUNE_RESULT;
}

/**
 * Functions that load each kind of result that does not come from a measurement, with only the package that
 * makes it.
 */
const OTHER_KINDS: { readonly [K in keyof OtherKinds]: () => Promise<OtherKinds[K]> } = {
  barrier: async () => (await import("@isthmus/barrier")).BARRIER_RESULT,
  star: async () => (await import("@isthmus/star-domain")).STAR_RESULT,
  study: async () => (await import("@isthmus/study")).STUDY_RESULT,
  simulation: async () => (await import("@isthmus/simulation")).SIMULATION_RESULT,
  comparison: async () => (await import("@isthmus/recipe")).COMPARISON_RESULT,
  "curvature-history": async () => (await import("@isthmus/curvature")).CURVATURE_HISTORY_RESULT,
  prune: async () => (await import("@isthmus/sparsity")).PRUNE_RESULT,
};

/** Any kind of result that does not come from a measurement. */
export type OtherResultKind = OtherKinds[keyof OtherKinds];

/** Lists all kinds of results that can be drawn; kinds of added measurements come last. */
export function listResultKinds(): readonly string[] {
  return [...Object.keys(OTHER_KINDS), ...listMeasurements().map(({ kind }) => kind)];
}

/** Loads a kind by its name; undefined if there is no such kind. */
export async function loadResultKind(kind: string): Promise<ResultKind<MeasuredResult> | undefined> {
  const load = new Map<string, () => Promise<OtherResultKind>>(Object.entries(OTHER_KINDS)).get(kind);
  return load?.() ?? loadMeasurement(kind);
}

/**
 * Loads the kind of a result.
 * @throws UsageError if there is no such kind
 */
export async function kindOf({ kind }: MeasuredResult): Promise<ResultKind<MeasuredResult>> {
  const loaded = await loadResultKind(kind);
  if (loaded !== undefined) return loaded;
  throw new UsageError(
    `Cannot draw a result as its "kind" must be one of ${listResultKinds().join(", ")}: it is ${kind}`,
  );
}
