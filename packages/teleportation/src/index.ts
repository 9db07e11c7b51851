export { act, carry, type Doubles, type Element, type Group } from "./element.ts";
export { type Orbit, type OrbitGroups, openOrbit } from "./orbit.ts";
export type { TeleportProgress } from "./search.ts";
export { type Start, startOf } from "./starts.ts";
export {
  type TeleportedNetwork,
  type TeleportOptions,
  type TeleportResult,
  teleport,
} from "./teleport.ts";
export type { TeleportChoice } from "./teleport-options.ts";
export {
  openTrainingTeleports,
  TRAINING_TELEPORT_FIELDS,
  type TrainingTeleportChoice,
  type TrainingTeleportOptions,
  type TrainingTeleports,
} from "./teleport-training.ts";
export { TELEPORT } from "./teleportation.ts";
