export {
  buildDropoutPath,
  type DropoutPath,
  type PathSegment,
} from "./construct/build-dropout-path.ts";
export { DROPOUT_PATH } from "./construct/dropout-path.ts";
export type {
  BuildDropoutPathOptions,
  BuildProgress,
  DropoutPathChoice,
} from "./construct/dropout-path-options.ts";
export {
  type DropoutPathProgress,
  type DropoutPathResult,
  type MeasureDropoutPathOptions,
  measureDropoutPath,
  type NamedMeasuredPath,
  type NamedPath,
} from "./construct/measure-dropout-path.ts";
export { type LayerRemainder, UNIT_CHOICES, type UnitChoice } from "./drop/choose-units.ts";
export { dropUnits } from "./drop/drop-units.ts";
export type { DropoutChoice, DropoutProgress } from "./drop/dropout-options.ts";
export type {
  DropoutShare,
  DropoutStabilityResult,
  DropoutTrial,
  DroppedLayers,
} from "./drop/dropout-result.ts";
export { DROPOUT_STABILITY } from "./drop/dropout-stability.ts";
export { RESCALINGS, type Rescaling } from "./drop/fit-factor.ts";
export {
  type DropoutStabilityChoice,
  type MeasureDropoutStabilityOptions,
  measureDropoutStability,
} from "./drop/measure-dropout-stability.ts";
export {
  type MeasureWalkedPathOptions,
  measureWalkedPath,
  type WalkData,
} from "./walk/measure-walked-path.ts";
export type { WalkPlace } from "./walk/plan-walk.ts";
export { walkLayers } from "./walk/walk-layers.ts";
export type { WalkChoice, WalkedPoint, WalkLayersOptions, WalkProgress } from "./walk/walk-options.ts";
export { WALKED_PATH } from "./walk/walked-path.ts";
export type { WalkedPathChoice, WalkedPathProgress } from "./walk/walked-path-options.ts";
export type { WalkedPathResult, WalkedSegment } from "./walk/walked-path-result.ts";
