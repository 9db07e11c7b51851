export type { PairBarrier, PairGroup, PredictionQuality, Predictor, StarResult } from "./star-result.ts";
