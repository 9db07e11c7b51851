export { type Arrange, completeFollowers, createUnitCompleter } from "./complete-units.ts";
export {
  type ComponentField,
  type LayoutComponent,
  layoutComponents,
  mapComponent,
} from "./layout-components.ts";
export { groupVariables } from "./linear/group-variables.ts";
export { multiplyInPlace, multiplyUnits, positionIn } from "./linear/multiply-units.ts";
export { type AxisUse, findAxisUses } from "./units/axis-uses.ts";
export {
  type AxisLayouts,
  findHiddenLayers,
  type HiddenLayer,
  type HiddenLayers,
  layOutAxes,
  type TensorUnits,
  type UnitSite,
} from "./units/hidden-layers.ts";
export { isWeightSite, measureUnitNorms } from "./units/unit-norms.ts";
export { findUnitRoots, type UnitRoots } from "./units/unit-roots.ts";
