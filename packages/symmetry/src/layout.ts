export { type Arrange, completeFollowers, createUnitCompleter } from "./complete-units.ts";
export {
  type ComponentField,
  type LayoutComponent,
  layoutComponents,
  mapComponent,
} from "./layout-components.ts";
export { groupVariables } from "./linear/group-variables.ts";
export { multiplyInPlace, multiplyUnits, positionIn } from "./linear/multiply-units.ts";
