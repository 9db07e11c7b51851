export type {
  BarrierInterval,
  BarrierPoint,
  BarrierResult,
  BarrierValues,
  BatchNormPolicy,
} from "./barrier-result.ts";
export { barrierValues } from "./barrier-values.ts";
export {
  type BarrierNetworks,
  type BarrierProgress,
  MEASURE_BARRIER_DEFAULTS,
  type MeasureBarrierOptions,
  measureBarrier,
} from "./measure-barrier.ts";
