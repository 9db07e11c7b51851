export { MASKED } from "../onnx/find-tables.ts";
export {
  float,
  floatAttribute,
  int,
  intAttribute,
  ints,
  intsAttribute,
  string,
  stringAttribute,
  wrapAxis,
} from "./attributes.ts";
export { capturedNames } from "./captured-names.ts";
export { constantNumbers } from "./constant-numbers.ts";
export { dependentValues } from "./dependent-values.ts";
export { gradientName } from "./gradient-name.ts";
export { listNames } from "./list-names.ts";
export { ELEMENT_WISE_OPERATORS, REDUCTION_OPERATORS } from "./operator-families.ts";
export { pruneNodes } from "./prune-nodes.ts";
export { returnedNames } from "./restrict-outputs.ts";
export { shareNodes } from "./share-nodes.ts";
export { typesOf } from "./types-of.ts";
export { countUses, renameInputs, valuesRead } from "./values.ts";
