import { JSON_SCHEMA_DRAFT, type JsonSchema, jsonSchemaOf, shareParts } from "@isthmus/forms";
import type * as z from "zod";
import { listGroupMakers, networkSchemaOf } from "../networks/makers.ts";
import { loadMeasurementSchemas } from "./measurement-schema.ts";
import { STUDY } from "./study-schema.ts";

/**
 * Makes the JSON Schema (draft 7) of studies, by which editors complete and check their files: of all
 * networks, and of all measurements with the help of their options.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { studyJsonSchema } from "@isthmus/study";
 *
 * const { required } = await studyJsonSchema();
 * assert.deepEqual(required, ["title", "networks", "measurements", "tables"]);
 * ```
 */
export async function studyJsonSchema(): Promise<JsonSchema> {
  const study = jsonSchemaOf(STUDY);
  const properties = study["properties"] as Readonly<Record<string, JsonSchema>>;
  const refer = (name: string): JsonSchema => ({
    ...properties[name],
    additionalProperties: { $ref: `#/definitions/${name}` },
  });
  const { additionalProperties } = Object(properties["networks"]);
  const { properties: repeated } = Object(additionalProperties);
  const entriesOf = (schemas: readonly z.ZodType[]): JsonSchema => ({
    anyOf: schemas.map(jsonSchemaOf).flatMap((schema) => entrySchemas(schema, repeated)),
  });
  return shareParts({
    $schema: JSON_SCHEMA_DRAFT,
    title: "Study of Isthmus",
    ...study,
    properties: { ...properties, networks: refer("networks"), measurements: refer("measurements") },
    definitions: {
      networks: entriesOf(listGroupMakers().map(networkSchemaOf)),
      measurements: entriesOf(await loadMeasurementSchemas()),
      variable: VARIABLE,
    },
  });
}

/**
 * Schema of a text that contains a variable, or of a choice by a variable (`lookup`): both can stand for any
 * value.
 */
const VARIABLE: JsonSchema = {
  anyOf: [
    { type: "string", pattern: "\\$\\{" },
    { type: "object", properties: { lookup: { type: "object" } }, required: ["lookup"] },
  ],
};

/** Makes the schemas of an entry, each of which has variables beside its own keys. */
function entrySchemas(entry: JsonSchema, repeated: JsonSchema): readonly JsonSchema[] {
  const choices = (entry["oneOf"] ?? entry["anyOf"]) as readonly JsonSchema[] | undefined;
  if (choices !== undefined) return choices.flatMap((choice) => entrySchemas(choice, repeated));
  const { properties } = Object(withVariables(entry));
  return [{ ...entry, properties: { ...repeated, ...properties } }];
}

/** Allows a variable in place of every text, number, choice or truth in a schema. */
function withVariables(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withVariables);
  if (typeof schema !== "object" || schema === null) return schema;
  const { description, ...rest } = schema as JsonSchema;
  const said = description === undefined ? {} : { description };
  if (isScalar(rest)) return { ...said, anyOf: [rest, { $ref: "#/definitions/variable" }] };
  const parts = Object.entries(rest).map(([key, part]) => [key, partWithVariables(key, part)]);
  return { ...said, ...Object.fromEntries(parts) };
}

/**
 * Allows variables in the schemas that a part of a schema contains; `required`, for example, contains none.
 */
function partWithVariables(key: string, part: unknown): unknown {
  if (key === "properties") {
    const properties = Object.entries(part as JsonSchema);
    return Object.fromEntries(properties.map(([name, schema]) => [name, withVariables(schema)]));
  }
  return ["items", "anyOf", "oneOf", "allOf", "additionalProperties"].includes(key)
    ? withVariables(part)
    : part;
}

/**
 * Checks whether a schema is of a text, number or truth that a variable can stand for. Constants, such as the
 * kind of an entry, tell schemas apart: no variable stands for them.
 */
const isScalar = ({ type, const: constant }: JsonSchema): boolean =>
  constant === undefined && ["string", "number", "integer", "boolean"].includes(String(type));
