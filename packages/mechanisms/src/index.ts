export {
  type MeasureMechanismsOptions,
  type MechanismsChoice,
  type MechanismsProgress,
  measureMechanisms,
} from "./measure-mechanisms.ts";
export { MECHANISMS } from "./mechanisms.ts";
export type { MechanismSet, MechanismsResult } from "./mechanisms-result.ts";
export { CONNECTIVITY_TUNING } from "./tune/connectivity-tuning.ts";
export { frozenBelowLastLayer } from "./tune/last-layer.ts";
export { type TuningData, tuneByConnectivity } from "./tune/tune-by-connectivity.ts";
export {
  CONNECTIVITY_FIELDS,
  type ConnectivityRules,
  type TuneByConnectivityOptions,
  type TuneProgress,
} from "./tune/tune-options.ts";
export type { TunedByConnectivity, TunedEpoch } from "./tune/tune-result.ts";
