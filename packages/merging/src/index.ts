export { type Adapter, type AdapterModule, type AdapterNaming, createAdapter } from "./adapters/adapter.ts";
export type { AdapterConfig } from "./adapters/adapter-config.ts";
export {
  type AdapterFactor,
  type AdapterKind,
  findAdapterFactor,
  findAdapterKind,
} from "./adapters/adapter-kind.ts";
export { splitAdapterPart } from "./adapters/adapter-part.ts";
export { type ApplyAdapterOptions, applyAdapter } from "./adapters/apply-adapter.ts";
export { assertNoModel } from "./adapters/assert-no-model.ts";
export {
  combinationBytes,
  type FactorCombination,
  PEFT_COMBINATIONS,
  type PeftCombination,
  type ProductCombination,
} from "./adapters/combine/choose-combination.ts";
export type { CoreRule } from "./adapters/combine/core-space.ts";
export type { MajoritySign } from "./adapters/combine/element-rules.ts";
export { DEFAULT_RANK, type RankChoice } from "./adapters/extract/choose-ranks.ts";
export {
  type EstimatedModule,
  type ExtractionEstimate,
  estimateExtraction,
} from "./adapters/extract/estimate-extraction.ts";
export type {
  ExtractionPhase,
  ExtractionProgress,
  SaveExtractedOptions,
} from "./adapters/extract/extract-options.ts";
export type { ModuleResidual, Residual } from "./adapters/extract/measure-extraction.ts";
export { type DifferencePart, type Pair, readDifferences } from "./adapters/extract/read-difference.ts";
export {
  type ExtractedModule,
  type SaveExtractedResult,
  saveExtractedAdapter,
} from "./adapters/extract/save-extracted-adapter.ts";
export type { RolePatterns } from "./adapters/extract/tensor-roles.ts";
export {
  type ExtractAdapterOptions,
  type ExtractAdapterResult,
  extractAdapter,
} from "./adapters/extract-adapter.ts";
export { type MergeAdaptersOptions, mergeAdapters } from "./adapters/merge-adapters.ts";
export { type OpenAdaptedOptions, openAdapted } from "./adapters/open-adapted.ts";
export { isAdapter, openAdapter } from "./adapters/open-adapter.ts";
export {
  type RenameAdapterOptions,
  type RenamedAdapter,
  renameAdapter,
} from "./adapters/rename-adapter.ts";
export {
  type SaveAdapterOptions,
  saveAdapter,
  saveAdapterConfig,
  weightFileOf,
} from "./adapters/save-adapter.ts";
export { shareFactors } from "./adapters/share-factors.ts";
export { type EstimateMergeOptions, estimateMerge, type MergeEstimate } from "./executor/estimate-merge.ts";
export { describeFileMerge, type FileMerge } from "./executor/file-merge.ts";
export { needsProducts, type OpenProducts, openMergeProducts } from "./executor/merge-products.ts";
export {
  type MergeSource,
  type OpenedMerge,
  type OpenMerge,
  openMergeSource,
} from "./executor/merge-source.ts";
export type { MergedFile, MergedInput, MergeProvenance } from "./executor/provenance.ts";
export {
  type MergePiecesParams,
  type OpenMergeExecutor,
  type RemoteMergeExecutor,
  type RemotePieces,
  runMergePieces,
} from "./executor/remote-merge.ts";
export { type MergedTensors, type SaveMergeResult, saveMerge } from "./executor/save-merge.ts";
export type { MergeProgress, SaveMergeOptions } from "./executor/save-merge-options.ts";
export {
  type TensorDeviation,
  type VerifyMergeOptions,
  type VerifyMergeResult,
  verifyMerge,
} from "./executor/verify-merge.ts";
export type { PartConfig, Settings } from "./layouts/configs/facts.ts";
export { describeRenamed, type RenamedNetwork, withLayoutNamesOf } from "./layouts/layout-names.ts";
export { toOriginalBlocks } from "./layouts/tables/unet-blocks.ts";
export { type DiffusersLayout, type DiffusersPart, toDiffusersLayout } from "./layouts/to-diffusers.ts";
export {
  type OriginalLayout,
  type ToOriginalOptions,
  toOriginalAutoencoder,
  toOriginalLayout,
} from "./layouts/to-original.ts";
export { type CompileExpressionOptions, compileExpression } from "./match-expression.ts";
export { type MergeOptions, merge, planMerge } from "./merge.ts";
export {
  defineMergeMethod,
  type MergedNetworks,
  type MergedRange,
  type MergedTensor,
  type MergeMethod,
  type MergeStatistic,
  type ParameterConflict,
} from "./merge-method.ts";
export { type MergePlan, mergeByPlan, type PlannedSource, type PlannedTensor } from "./merge-plan.ts";
export { ace } from "./methods/ace.ts";
export { actmat } from "./methods/actmat.ts";
export { arceeFusion } from "./methods/arcee-fusion.ts";
export { breadcrumbs } from "./methods/breadcrumbs.ts";
export { breadcrumbsTies } from "./methods/breadcrumbs-ties.ts";
export { cart } from "./methods/cart.ts";
export { consensusTa } from "./methods/consensus-ta.ts";
export { cosineA, cosineB } from "./methods/cosine.ts";
export { dareLinear } from "./methods/dare-linear.ts";
export { dareTies } from "./methods/dare-ties.ts";
export { dcMerge } from "./methods/dc-merge.ts";
export { della } from "./methods/della.ts";
export { dellaLinear } from "./methods/della-linear.ts";
export { ema } from "./methods/ema.ts";
export { emr } from "./methods/emr.ts";
export { esm } from "./methods/esm.ts";
export { expo } from "./methods/expo.ts";
export { extraMerge } from "./methods/extra-merge.ts";
export { isoC } from "./methods/iso-c.ts";
export { isoCts } from "./methods/iso-cts.ts";
export { karcher } from "./methods/karcher.ts";
export { knots } from "./methods/knots.ts";
export { lawa } from "./methods/lawa.ts";
export { linear } from "./methods/linear.ts";
export { magmax } from "./methods/magmax.ts";
export { modelStock } from "./methods/model-stock.ts";
export { multislerp } from "./methods/multislerp.ts";
export { nearswap } from "./methods/nearswap.ts";
export { nuslerp } from "./methods/nuslerp.ts";
export { orthoMerge } from "./methods/ortho-merge.ts";
export { passthrough } from "./methods/passthrough.ts";
export { pcb } from "./methods/pcb.ts";
export { ram } from "./methods/ram.ts";
export { ramplusTl } from "./methods/ramplus-tl.ts";
export { sce } from "./methods/sce.ts";
export { singularProjection } from "./methods/singular-projection.ts";
export { slerp } from "./methods/slerp.ts";
export { calibrated, svc } from "./methods/svc.ts";
export { swa } from "./methods/swa.ts";
export { tallMask } from "./methods/tall-mask.ts";
export { taskArithmetic } from "./methods/task-arithmetic.ts";
export { ties } from "./methods/ties.ts";
export { trainDifference } from "./methods/train-difference.ts";
export { tsvM } from "./methods/tsv-m.ts";
export { wsm } from "./methods/wsm.ts";

export { wudi } from "./methods/wudi.ts";
export { wudiClosedForm } from "./methods/wudi-closed-form.ts";
export { MERGE_METHODS, METHODS_WITH_DATA } from "./methods.ts";
export {
  byLayer,
  type GivenParameters,
  type ParameterSpec,
  type ParameterSpecs,
  type ParameterValue,
  type PerTensor,
  resolveParameters,
  type TensorParameters,
} from "./parameters.ts";
export { randomBitsInto } from "./random/random-bits.ts";
export { deriveStreamKey } from "./random/stream-key.ts";
export { type DecaySchedule, decayWeights, scheduleWeights } from "./series/series-weights.ts";
export {
  type Evaluate,
  type GreedySoupOptions,
  type GreedySoupResult,
  greedySoup,
  type SoupStep,
} from "./soups/greedy-soup.ts";
export { type SoceOptions, type SoceResult, soceWeights } from "./soups/soce-weights.ts";
export { type FisherMergeOptions, fisherMerge } from "./with-data/fisher-merge.ts";
export { type RegmeanOptions, regmean } from "./with-data/regmean.ts";
export {
  type GramRequest,
  type RegmeanPlusPlusOptions,
  regmeanPlusPlus,
} from "./with-data/regmean-plus-plus.ts";
