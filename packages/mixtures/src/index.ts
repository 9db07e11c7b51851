// Routers of merged mixtures.
export { discoverRouters, type Router } from "./realign/discover-routers.ts";
export {
  type MeasureRoutingOptions,
  measureRouting,
  type RoutingAgreement,
  type RoutingResult,
} from "./realign/measure-routing.ts";
export {
  REALIGN_ROUTERS_DEFAULTS,
  type RealignedRouter,
  type RealignProgress,
  type RealignRoutersOptions,
  type RealignRoutersResult,
  type RouterParent,
  realignRouters,
} from "./realign/realign-routers.ts";
