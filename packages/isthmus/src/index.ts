export {
  type BarrierDecomposition,
  type BarrierResult,
  chooseLayers,
  decomposeBarrier,
  type LayersResult,
  mapNetworks,
  measureBarrier,
  measureLayers,
  measurePlane,
} from "@isthmus/barrier";
export {
  buildDropoutPath,
  type DropoutPathResult,
  type DropoutStabilityResult,
  frozenBelowLastLayer,
  type MechanismsResult,
  measureCurve,
  measureDropoutPath,
  measureDropoutStability,
  measureMechanisms,
  measureWalkedPath,
  type TunedByConnectivity,
  trainCurve,
  tuneByConnectivity,
  type WalkedPathResult,
  walkLayers,
} from "@isthmus/connectivity";
export {
  type Checkpoint,
  composeCheckpoint,
  convertCheckpoint,
  createCheckpoint,
  createTensor,
  fromFloat64Into,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
  toFloat64,
  withTensors,
} from "@isthmus/core";
export {
  type CurvatureResult,
  type LandscapeResult,
  measureCurvature,
  measureLandscape,
  mergeTree,
  topologyOf,
} from "@isthmus/curvature";
export { counterfactuals, createDataSet, openDataSet, plantCue } from "@isthmus/data";
export { createOnnxRuntimeEngine, describeMachine } from "@isthmus/engine";
export {
  type AttackResult,
  attackExamples,
  type CollectResult,
  collectNetworks,
  compareEnsembles,
  comparePareto,
  type EnsembleResult,
  meanOfWeights,
  measureAttack,
  type ParetoResult,
  simplexVertices,
} from "@isthmus/ensemble";
export {
  aggregateUpdates,
  personalNetwork,
  resolveStrategy,
  saveAggregate,
  treatLayers,
} from "@isthmus/federated";
export { defineMeasurement, defineNetworkMaker } from "@isthmus/findings";
export {
  fuseByMaps,
  fuseNetworks,
  type MergePartiallyResult,
  mergePartially,
  sinkhorn,
  transferAcrossWidths,
  transferTask,
} from "@isthmus/fusion";
export {
  type Architecture,
  bindArchitecture,
  bindWeights,
  createEvaluator,
  type DataSet,
  type Engine,
  encodeGraph,
  encodeNetwork,
  type Graph,
  readGraph,
} from "@isthmus/graph";
export { average, createPath, lerp } from "@isthmus/interpolation";
export { measure } from "@isthmus/measurements/open";
export { addMeasurement, useMeasurements } from "@isthmus/measurements/use";
export {
  formatTunedRecipe,
  type Healed,
  type HealResult,
  heal,
  measureGradientSigns,
  openHealing,
  openTunedTasks,
  type TunedTask,
  type TuneMergeResult,
  tuneMerge,
} from "@isthmus/merge-learning";
export {
  applyAdapter,
  byLayer,
  defineMergeMethod,
  extractAdapter,
  linear,
  type MergeMethod,
  merge,
  openAdapter,
  saveAdapter,
  slerp,
} from "@isthmus/merging";
export {
  type BuildMixtureResult,
  buildMixture,
  fitRouters,
  measureRouting,
  parseMixtureRecipe,
  planMixtureRecipe,
  readMixtureRecipe,
  realignMerged,
  reduceConfig,
  reduceMixture,
} from "@isthmus/mixtures";
export {
  adviseMerge,
  compareNetworks,
  createAligner,
  explainPlan,
  formatAdvisedRecipe,
  judgeByCommand,
  judgeByExamples,
  judgeMerge,
  openRecipe,
  parseRecipe,
  type Recipe,
  readRecipe,
  runRecipe,
  searchMerge,
  summarizePlan,
  traceDescent,
  verifyRecipe,
} from "@isthmus/recipe";
export { renderFigures, renderResultPage } from "@isthmus/report";
export { measureSimilarity, type SimilarityResult } from "@isthmus/similarity";
export {
  measurePruning,
  measureRounds,
  type PruneResult,
  pruneByEvolution,
  pruneIteratively,
  pruneNetwork,
  type QuantizeResult,
  quantizeNetwork,
  trainAnnealed,
  trainGradually,
  trainMasked,
} from "@isthmus/sparsity";
export { comparePredictors, findStar, measureStar } from "@isthmus/star-domain";
export { correctStatistics, measureGrams } from "@isthmus/statistics";
export { addNetworkMaker, runStudy } from "@isthmus/study";
export {
  type IntrinsicDimensionResult,
  measureIntrinsicDimension,
  trainInSubspace,
} from "@isthmus/subspace";
export { discoverSymmetries, explainSpec, permute, verifySymmetries } from "@isthmus/symmetry";
export { openTrainingTeleports, type TeleportResult, teleport } from "@isthmus/teleportation";
export { measureFisher, train, trainByEvolution } from "@isthmus/training";
export { type AlignResult, align, alignMany, alignUpdates } from "@isthmus/weight-matching";
export { openArchitecture, parseNetwork } from "@isthmus/zoo";
