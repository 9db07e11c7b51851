import type { CurvatureProgress, CurvatureStage } from "./curvature-options.ts";

/** How much work a stage is, in products. */
export interface PlannedWork {
  readonly stage: CurvatureStage;
  readonly work: number;
}

/** Returns what announces the share of a stage that is done as a share of the whole. */
export type AnnounceStage = (stage: CurvatureStage) => (share: number) => void;

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
    return (share) => onProgress?.({ done: Math.min(1, (before + share * work) / all), stage });
  };
}
