export type {
  BarrierInterval,
  BarrierPoint,
  BarrierResult,
  BarrierValues,
  BatchNormPolicy,
} from "./barrier-result.ts";
