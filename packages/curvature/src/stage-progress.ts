import type { CurvatureProgress, CurvatureStage, ResolvedCurvatureOptions } from "./curvature-options.ts";

/** What parts of a measurement share: its options, its progress, and where finished parts are kept. */
export interface MeasurementFrame {
  readonly options: ResolvedCurvatureOptions;
  readonly announce: AnnounceStage;
  /** Whether a part is in the journal. */
  readonly isStored: (part: string) => boolean;
  /** Returns a part from the journal, or measures it. */
  readonly keep: <T>(part: string, measure: () => Promise<T>) => Promise<T>;
}

/** How much work a stage is, in products. */
export interface PlannedWork {
  readonly stage: CurvatureStage;
  readonly work: number;
}

/**
 * Returns what announces the share of a stage that is done as a share of the whole, and whether it was in the
 * journal.
 */
export type AnnounceStage = (stage: CurvatureStage) => (share: number, stored?: boolean) => void;

/** Announces the progress of stages that run in the order of their plan. */
export function announceStages(
  planned: readonly PlannedWork[],
  onProgress: ((progress: CurvatureProgress) => void) | undefined,
): AnnounceStage {
  const all = planned.reduce((sum, { work }) => sum + work, 0);
  return (stage) => {
    const place = planned.findIndex((other) => other.stage === stage);
    const before = planned.slice(0, place).reduce((sum, { work }) => sum + work, 0);
    const work = planned[place]?.work ?? all - before;
    return (share, stored = false) => {
      const done = Math.min(1, (before + share * work) / all);
      onProgress?.({ done, stage, ...(stored && { stored }) });
    };
  };
}
