export {
  type Estimate,
  estimateMean,
  estimateShare,
  LEAST_FOR_INTERVAL,
  type RunSummary,
  summarizeRuns,
} from "./simulation/result/summarize-runs.ts";
