export {
  MEASURE_MECHANISMS_DEFAULTS,
  type MeasureMechanismsOptions,
  type MechanismsProgress,
  measureMechanisms,
} from "./measure-mechanisms.ts";
export type { MechanismSet, MechanismsResult } from "./mechanisms-result.ts";
export {
  type TunedByConnectivity,
  type TunedEpoch,
  type TuningData,
  tuneByConnectivity,
} from "./tune/tune-by-connectivity.ts";
export {
  TUNE_BY_CONNECTIVITY_DEFAULTS,
  type TuneByConnectivityOptions,
  type TuneProgress,
} from "./tune/tune-options.ts";
