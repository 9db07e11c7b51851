export { ATTACK } from "./attack/attack.ts";
export { attackExamples } from "./attack/attack-examples.ts";
export type { AttackMethod, AttackNorm, AttackOptions, ResolvedAttack } from "./attack/attack-options.ts";
export type { AttackedSource, AttackedTarget, AttackResult } from "./attack/attack-result.ts";
export {
  type AttackedNetworks,
  type AttackSource,
  SOURCE_MODES,
  type SourceMode,
} from "./attack/attack-source.ts";
export {
  type AttackProgress,
  type MeasureAttackChoice,
  type MeasureAttackOptions,
  measureAttack,
} from "./attack/measure-attack.ts";
export {
  COLLECT_NETWORKS_DEFAULTS,
  COLLECT_WEIGHT_DECAY,
  type CollectedNetworks,
  type CollectNetworksOptions,
  type CollectResult,
  collectNetworks,
} from "./collect/collect-networks.ts";
export {
  type CollectionCost,
  type CollectOneByOneOptions,
  collectOneByOne,
  type OneByOneProgress,
} from "./collect/collect-one-by-one.ts";
export {
  COLLECTION_FIELDS,
  type CollectionChoice,
  type CollectionMethod,
  findStrayOption,
  isOneByOne,
  membersOf,
} from "./collect/collection-choice.ts";
export { type MeanOfWeightsOptions, meanOfWeights } from "./collect/mean-of-weights.ts";
export type { NetworkStore } from "./collect/network-store.ts";
export {
  COLLECT_RATES,
  type CollectionPlan,
  type CollectMethod,
  type CollectRates,
  planCollection,
  resolveRates,
} from "./collect/plan-collection.ts";
export { type ScatterNetworkOptions, scatterNetwork } from "./collect/scatter-network.ts";
export {
  COMPARE_ENSEMBLES_FIELDS,
  type CompareEnsemblesChoice,
  type CompareEnsemblesOptions,
  type CompareEnsemblesProgress,
  compareEnsembles,
  type FurtherPredictor,
} from "./compare-ensembles.ts";
export { describeEnsemble, predictorsTable } from "./describe/describe-ensemble.ts";
export type { EnsembleResult, NamedData } from "./ensemble-result.ts";
export {
  type GreedyChoice,
  MOST_MEMBERS,
  type SelectGreedilyOptions,
  selectGreedily,
} from "./greedy/select-greedily.ts";
export {
  type ComparedPareto,
  type CompareParetoOptions,
  comparePareto,
  type ParetoData,
  type ParetoProgress,
} from "./pareto/compare-pareto.ts";
export { hypervolume, paretoFront } from "./pareto/hypervolume.ts";
export { type MeasureFrontOptions, measureFront, type SharedNetwork } from "./pareto/measure-front.ts";
export { PARETO } from "./pareto/pareto-measurement.ts";
export type { ParetoMeasurementChoice } from "./pareto/pareto-measurement-options.ts";
export type { ParetoChoice } from "./pareto/pareto-options.ts";
export type { Front, FrontPoint, ParetoResult } from "./pareto/pareto-result.ts";
export { splitHeads } from "./pareto/task-graph.ts";
export {
  type TaskTrainingOptions,
  type TrainedPareto,
  type TrainParetoOptions,
  trainPareto,
  trainScalarised,
} from "./pareto/train-pareto.ts";
export { type BootstrapPosteriorOptions, bootstrapPosterior } from "./posterior/bootstrap-posterior.ts";
export {
  type AveragePredictionsOptions,
  averagePredictions,
  type NetworkStream,
  type PredictionTask,
} from "./predictions/average-predictions.ts";
export { binConfidences, type ConfidenceBin, calibrationError } from "./predictions/calibration.ts";
export {
  createJudge,
  type Judge,
  type JudgedPredictor,
  type JudgedQuality,
  type JudgedTask,
  type JudgeOptions,
  meanQuality,
} from "./predictions/create-judge.ts";
export { areaUnderCurve, predictionQuality } from "./predictions/prediction-quality.ts";
export type { PredictionQuality, Predictor } from "./predictions/predictor.ts";
export { readLabels } from "./predictions/read-labels.ts";
export { type NetworksOnSimplexOptions, networksOnSimplex } from "./simplex/networks-on-simplex.ts";
export {
  SIMPLEX_VERTICES_DEFAULTS,
  type SimplexVertex,
  type SimplexVerticesOptions,
  simplexVertices,
} from "./simplex/simplex-vertices.ts";
export { logSimplexVolume } from "./simplex/simplex-volume.ts";
