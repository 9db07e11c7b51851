export { carry, carryBack, type Element } from "./element.ts";
export type { OrbitGroups } from "./orbit.ts";
export type { TeleportProgress } from "./search.ts";
export {
  type TeleportedNetwork,
  type TeleportOptions,
  type TeleportResult,
  teleport,
} from "./teleport.ts";
export type { TeleportChoice } from "./teleport-options.ts";
export { TELEPORT } from "./teleportation.ts";
