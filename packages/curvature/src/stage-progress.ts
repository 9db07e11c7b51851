import type { CurvatureProgress, CurvatureStage, ResolvedCurvatureOptions } from "./curvature-options.ts";

/**
 * Context that the parts of a measurement share: its options, its progress, and the journal of finished
 * parts.
 */
export interface MeasurementFrame {
  /** Options of the measurement, with all defaults filled in. */
  readonly options: ResolvedCurvatureOptions;
  /** Announcer of the progress of a stage. */
  readonly announce: AnnounceStage;
  /** Whether a part is in the journal. */
  readonly isStored: (part: string) => boolean;
  /** Returns a part from the journal, or measures it. */
  readonly keep: <T>(part: string, measure: () => Promise<T>) => Promise<T>;
}

/** Work of a stage, in products. */
export interface PlannedWork {
  /** Stage of the measurement. */
  readonly stage: CurvatureStage;
  /** Expected number of products, or of work that takes as long. */
  readonly work: number;
}

/**
 * Returns a function for a stage that takes the finished share of the stage, and whether the part was in the
 * journal, and announces the finished share of the whole measurement.
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
