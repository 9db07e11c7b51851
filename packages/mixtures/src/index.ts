export { ADAPTER_LAYOUTS, type AdapterExtents, type AdapterLayout } from "./adapters/adapter-layout.ts";
export type { RandomFeatures } from "./adapters/random-features.ts";
export { buildMixture, planMixtureRecipe } from "./build/build-mixture.ts";
export type {
  BuildMixtureOptions,
  BuildMixtureResult,
  MixtureMaker,
  MixtureProgress,
  PlannedMixture,
} from "./build/build-mixture-options.ts";
export type { DenseModel } from "./build/dense-model.ts";
export type { GateContext, GatedExpert, GateMode, LayerGates } from "./build/gate-mode.ts";
export { GATE_MODES } from "./build/gate-modes.ts";
export type { MixtureLayout } from "./build/mixture-layout.ts";
export { MIXTURE_LAYOUTS } from "./build/mixture-layouts.ts";
export type { DenseReference, MixtureExpert, MixtureRecipe } from "./build/mixture-recipe.ts";
export type { MakeGatesOptions } from "./build/open-gates.ts";
export type { OpenMixtureOptions } from "./build/open-mixture.ts";
export {
  parseMixtureRecipe,
  type ReadMixtureRecipe,
  readMixtureRecipe,
} from "./build/read-mixture-recipe.ts";
export { openRecordedMixture } from "./build/verify-mixture.ts";
export {
  type RealignMergedOptions,
  type RealignMergedResult,
  realignMerged,
} from "./realign/realign-merged.ts";
export {
  REALIGN_FIELDS,
  type RealignChoice,
  type RealignedRouter,
  type RealignProgress,
  type RealignRoutersOptions,
  type RealignRoutersResult,
  type RouterParent,
  realignRouters,
} from "./realign/realign-routers.ts";
export { type ExpertGroup, REDUCTIONS, type Reduction } from "./reduce/group-experts.ts";
export {
  type ReducedLayer,
  type ReduceMixtureOptions,
  type ReduceMixtureResult,
  reduceConfig,
  reduceMixture,
} from "./reduce/reduce-mixture.ts";
export {
  type CompareRoutingOptions,
  compareRouting,
  type RoutingAgreement,
  type RoutingComparison,
} from "./routers/compare-routing.ts";
export { discoverRouters, type RouterLayer } from "./routers/discover-routers.ts";
export { type FitRoutersResult, type FittedRouter, fitRouters } from "./routers/fit-routers.ts";
export { FIT_ROUTERS_DEFAULTS, type FitRoutersOptions } from "./routers/fit-routers-options.ts";
export { type LayerRouting, type MeasureRoutingOptions, measureRouting } from "./routers/measure-routing.ts";
