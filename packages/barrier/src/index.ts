export type { PairNetwork, PairsControl } from "@isthmus/findings";
export { BARRIER } from "./barrier.ts";
export {
  type BarrierChoice,
  type BarrierProgress,
  type MeasureBarrierOptions,
  RESAMPLING_FIELDS,
  type ResamplingChoice,
} from "./barrier-options.ts";
export type {
  BarrierInterval,
  BarrierPoint,
  BarrierResult,
  BarrierValues,
  TemperedCurve,
  TemperedPoint,
} from "./barrier-result.ts";
export { BARRIER_RESULT } from "./barrier-result-kind.ts";
export { barrierValues } from "./barrier-values.ts";
export { bindNetwork } from "./bind-network.ts";
export { type ComparedBarrierResult, curvesOf } from "./compared-barrier.ts";

export {
  type CorrectedEvaluation,
  type CorrectedEvaluator,
  type CorrectedEvaluatorOptions,
  createCorrectedEvaluator,
  type EvaluatedArchitecture,
} from "./create-corrected-evaluator.ts";
export { decomposeBarrier } from "./decompose/decompose-barrier.ts";
export {
  DECOMPOSE_FIELDS,
  type DecomposeBarrierOptions,
  type DecomposeProgress,
} from "./decompose/decompose-options.ts";
export type {
  BarrierDecomposition,
  ExampleExcess,
  ExcessByExample,
  LossAndError,
  PartExcess,
} from "./decomposition-result.ts";
export {
  assertDrawableCurves,
  BARRIER_LABELS,
  type BarrierCurve,
  measuresErrors,
  withTemperedCurves,
} from "./describe/barrier-curve.ts";
export { barrierPlot } from "./describe/barrier-plot.ts";
export { perplexityRows } from "./describe/barrier-tables.ts";
export { carriedSentences } from "./describe/decomposition/decomposition-figures.ts";
export { describeBarriers } from "./describe/describe-barriers.ts";
export { halfwayPerplexity } from "./describe/layers-tables.ts";
export { assertMap, MAP_STAGES, mapNames, orderOf, squareInOrder } from "./describe/map/map-networks.ts";
export { describeMeasurement } from "./describe-measurement.ts";
export {
  type EvaluatedGrid,
  type EvaluateGridOptions,
  evaluateGrid,
  type GridProgress,
  type GridTask,
} from "./evaluate-grid.ts";
export { type ChoosableLayers, chooseLayers } from "./layers/choose-layers.ts";
export { alongGroups, predictRise, type WayDerivatives } from "./layers/compare-predictions.ts";
export {
  GROUPINGS,
  type Grouping,
  groupLayers,
  type LayerPattern,
  type LayerTensors,
} from "./layers/group-layers.ts";
export { LAYERS } from "./layers/layers.ts";
export type { LayersChoice, LayersProgress, MeasureLayersOptions } from "./layers/layers-options.ts";
export { measureLayers } from "./layers/measure-layers.ts";
export {
  type LossExpansion,
  type PredictBarriersOptions,
  type PredictBarriersResult,
  predictBarriers,
} from "./layers/predict-barriers.ts";
export type {
  BarrierPrediction,
  CumulativeOrder,
  DirectionRobustness,
  LayerBarrier,
  LayerCut,
  LayerGroup,
  LayersResult,
  PredictedPoint,
} from "./layers-result.ts";
export { MAP } from "./map/map.ts";
export { mapNetworks } from "./map/map-networks.ts";
export type {
  MapChoice,
  MapNetworksOptions,
  MapPairs,
  MapProgress,
  MeasureMapPairs,
} from "./map/map-options.ts";
export { type MeasurePairsOptions, measurePairs } from "./map/measure-pairs.ts";
export type {
  MapGround,
  MapGroundMark,
  MapGroundPlace,
  MapPlaces,
  MappedMean,
  MappedNetwork,
  MappedPair,
  MappedPath,
  MapResult,
  MapStage,
  MapTree,
} from "./map-result.ts";
export { measureBarrier } from "./measure-barrier.ts";
export { measurePlane } from "./measure-plane.ts";
export type { MeasuredPair } from "./pair-origin.ts";
export {
  type MeasurePlaneOptions,
  PLANE_ATTEMPT,
  PLANE_FIELDS,
  type PlaneChoice,
  type PlaneModels,
  type PlaneProgress,
  type PlaneSubject,
} from "./plane-options.ts";
export type { PlaneModel, PlaneResult } from "./plane-result.ts";
