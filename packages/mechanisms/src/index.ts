export { describeMechanisms } from "./describe/describe-mechanisms.ts";
export { summarizeMechanisms } from "./describe/summarize-mechanisms.ts";
export {
  MEASURE_MECHANISMS_DEFAULTS,
  type MeasureMechanismsOptions,
  type MechanismsProgress,
  measureMechanisms,
} from "./measure-mechanisms.ts";
export type { MechanismSet, MechanismsResult } from "./mechanisms-result.ts";
export { frozenBelowLastLayer } from "./tune/last-layer.ts";
export { type TuningData, tuneByConnectivity } from "./tune/tune-by-connectivity.ts";
export {
  type ConnectivityRules,
  TUNE_BY_CONNECTIVITY_DEFAULTS,
  type TuneByConnectivityOptions,
  type TuneProgress,
} from "./tune/tune-options.ts";
export type { TunedByConnectivity, TunedEpoch } from "./tune/tune-result.ts";
