export {
  type Estimate,
  estimateMean,
  estimateShare,
  LEAST_FOR_INTERVAL,
  type RunSummary,
  type ScoreScale,
  scaleOf,
  summarizeRuns,
} from "./simulation/result/summarize-runs.ts";
