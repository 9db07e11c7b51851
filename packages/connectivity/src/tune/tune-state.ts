import type { WorkKind } from "@isthmus/training";
import type { TunedEpoch } from "./tune-result.ts";

/** Position of a tuning: the contents of a state except tensors. */
export interface TuningPosition {
  /** Losses of the finished epochs. */
  readonly epochs: readonly TunedEpoch[];
}

/** Kind of the states of tunings. */
export const TUNING: WorkKind<TuningPosition> = {
  what: "tuning by connectivity",
  of: "network",
  key: "isthmus-tuning",
  version: 1,
  isPosition: (value): value is TuningPosition =>
    Array.isArray((value as Partial<TuningPosition> | null)?.epochs),
};
