import type { JsonSchema } from "@isthmus/forms";
import { kindOf, listResultKinds } from "../result/result-kinds.ts";

/**
 * Makes the JSON Schema (draft 7) of results of every kind, as commands write them with `-o` and print them
 * with `--json`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resultJsonSchema } from "@isthmus/report";
 *
 * const { anyOf } = await resultJsonSchema();
 * assert((anyOf as object[]).length > 20);
 * ```
 */
export async function resultJsonSchema(): Promise<JsonSchema> {
  // Schemas take time to load, and drawing does not need them.
  const [{ JSON_SCHEMA_DRAFT, jsonSchemaOf, shareParts }, { MADE_RESULT }] = await Promise.all([
    import("@isthmus/forms"),
    import("@isthmus/findings/forms"),
  ]);
  const schemas: JsonSchema[] = [];
  for (const kind of listResultKinds()) {
    schemas.push(jsonSchemaOf(await (await kindOf({ kind })).form()));
  }
  const made = jsonSchemaOf(MADE_RESULT);
  return shareParts({ $schema: JSON_SCHEMA_DRAFT, title: "Result of Isthmus", ...made, anyOf: schemas });
}
