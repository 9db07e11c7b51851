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
