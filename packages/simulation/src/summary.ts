export {
  type Estimate,
  LEAST_FOR_INTERVAL,
  type RunSummary,
  type ScoreScale,
  scaleOf,
  summarizeRuns,
} from "./result/summarize-runs.ts";
