// Routers of merged mixtures.

// Mixtures from dense models.
export {
  type BuildMixtureOptions,
  type BuildMixtureResult,
  buildMixture,
  type MixtureMaker,
  type MixtureProgress,
  type PlannedMixture,
  planMixtureRecipe,
} from "./build/build-mixture.ts";
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
export {
  type CompareRoutingOptions,
  compareRouting,
  type RoutingAgreement,
  type RoutingComparison,
} from "./realign/compare-routing.ts";
export { discoverRouters, type RouterLayer } from "./realign/discover-routers.ts";
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
export { openRecordedMixture } from "./build/verify-mixture.ts";
