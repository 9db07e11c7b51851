export {
  type BarrierInterval,
  type BarrierPoint,
  type BarrierResult,
  type BarrierValues,
  STATISTICS_POLICIES,
  type StatisticsPolicy,
} from "./barrier-result.ts";
export { barrierValues } from "./barrier-values.ts";
export {
  type BarrierNetworks,
  type BarrierProgress,
  MEASURE_BARRIER_DEFAULTS,
  type MeasureBarrierOptions,
  measureBarrier,
} from "./measure-barrier.ts";
