export { assertTaskParams } from "./params/assert-task-params.ts";
export { filePath, type MovePath, marksPath, movePathsBy } from "./params/moved-paths.ts";
export { takesParams } from "./params/takes-params.ts";
export { JSON_SCHEMA_DRAFT, type JsonSchema, jsonSchemaOf, shareParts } from "./schema/json-schema.ts";
export {
  amount,
  batch,
  count,
  fingerprint,
  positive,
  repeats,
  seed,
  share,
  shareBelow1,
  text,
  tries,
} from "./schema/numbers.ts";
export { fieldsOf, type SchemasOf, schemaOf } from "./schema/schema-of.ts";
export { tellProblem } from "./schema/tell-problem.ts";
export { shapeOfFields, zodOfField, zodOfForm } from "./schema/zod-of-form.ts";
export type { Repeated, Variables, VariableValue } from "./variables/unfold.ts";
export { listValues, type Unfolded, unfold } from "./variables/unfold.ts";
export { findDeepLine, MOST_YAML_LEVELS } from "./yaml/deep-yaml.ts";
export { findYamlError } from "./yaml/find-yaml-error.ts";
export { keyOffset } from "./yaml/key-offset.ts";
export { findProblems, readYamlFile, rejectProblems, type YamlSource } from "./yaml/yaml-file.ts";
