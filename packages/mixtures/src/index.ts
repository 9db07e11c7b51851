// Fewer experts.
export { type ExpertGroup, groupExperts, REDUCTIONS, type Reduction } from "./reduce/group-experts.ts";
export { type LayerExperts, measureExperts } from "./reduce/measure-experts.ts";
export { reduceExperts } from "./reduce/reduce-experts.ts";
export {
  type ReducedLayer,
  type ReduceMixtureOptions,
  type ReduceMixtureResult,
  reduceConfig,
  reduceMixture,
} from "./reduce/reduce-mixture.ts";
// Routers.
export { findRouters, type Router } from "./routers/find-routers.ts";
export { type FitRoutersResult, type FittedRouter, fitRouters } from "./routers/fit-routers.ts";
export { FIT_ROUTERS_DEFAULTS, type FitRoutersOptions } from "./routers/fit-routers-options.ts";
export {
  type LayerRouting,
  MEASURE_ROUTING_DEFAULTS,
  type MeasureRoutingOptions,
  measureRouting,
} from "./routers/measure-routing.ts";
