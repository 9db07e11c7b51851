export {
  MEASURE_MECHANISMS_DEFAULTS,
  type MeasureMechanismsOptions,
  type MechanismsProgress,
  measureMechanisms,
} from "./measure-mechanisms.ts";
export type { MechanismSet, MechanismsResult } from "./mechanisms-result.ts";
