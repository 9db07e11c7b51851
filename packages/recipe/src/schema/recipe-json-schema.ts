import type { JsonSchema } from "@isthmus/forms";
import type { MergeMethod, ParameterSpec, ParameterSpecs } from "@isthmus/merging";
import { COMBINATIONS } from "../adapters/adapter-methods.ts";
import { RECIPE_METHODS } from "../plan/find-method.ts";
import { RECIPE } from "../recipe/recipe-shape.ts";
import { SETTINGS } from "../recipe/setting-shape.ts";
import type { Key, Shape } from "../recipe/shape.ts";

/**
 * Makes the JSON Schema (draft 7) of recipes, by which editors complete and check them. It describes the keys
 * of recipes, and the methods with their parameters.
 *
 * @param methods - methods by name; other names are allowed, because users may add methods
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { recipeJsonSchema } from "@isthmus/recipe";
 *
 * const { required, properties } = recipeJsonSchema();
 * assert.deepEqual(required, ["merge_method"]);
 * assert("slices" in (properties as object));
 * ```
 */
export function recipeJsonSchema(methods: ReadonlyMap<string, MergeMethod> = RECIPE_METHODS): JsonSchema {
  const definitions = new Map<string, JsonSchema>();
  const setting = schemaOf(SETTINGS.values, definitions);
  definitions.set("settings", {
    type: "object",
    properties: describeParameters(methods, setting),
    additionalProperties: setting,
  });
  const recipe = mapSchema(RECIPE, definitions);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Merge recipe of Isthmus",
    ...recipe,
    properties: { ...(recipe["properties"] as JsonSchema), merge_method: describeMethods(methods) },
    definitions: Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function describeMethods(methods: ReadonlyMap<string, MergeMethod>): JsonSchema {
  const ofAdapters = COMBINATIONS.filter(({ name }) => !methods.has(name));
  const all = [
    ...[...methods.values()].map(({ name, description }) => ({ name, description })),
    ...ofAdapters.map(({ name, description }) => ({ name, description: `Of adapters: ${description}` })),
  ];
  const listed = all.map(({ name, description }) => ({ const: name, description }));
  return { description: "The method that merges tensors.", anyOf: [...listed, { type: "string" }] };
}

/** Describes the parameters of all methods by name, each with a line for every method that reads it. */
function describeParameters(methods: ReadonlyMap<string, MergeMethod>, setting: JsonSchema): JsonSchema {
  const texts = new Map<string, string[]>();
  const add = (method: string, parameters: ParameterSpecs) => {
    for (const [name, spec] of Object.entries(parameters))
      texts.set(name, [...(texts.get(name) ?? []), `${method}: ${describeParameter(spec)}`]);
  };
  for (const { name, parameters } of methods.values()) add(name, parameters);
  for (const { name, parameters } of COMBINATIONS) add(`${name} of adapters`, parameters);
  const entries = [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, lines]) => [name, { description: lines.join("\n"), allOf: [setting] }]),
  );
}

function describeParameter({ description, of, default: fallback }: ParameterSpec): string {
  const owner = of === "network" ? "one for each network" : "one for all networks";
  return `${description} (${owner}${fallback === undefined ? "" : `, default ${fallback}`})`;
}

function schemaOf(shape: Shape, definitions: Map<string, JsonSchema>): JsonSchema {
  if (shape === SETTINGS) return { $ref: "#/definitions/settings" };
  if (shape === RECIPE) return { $ref: "#" };
  switch (shape.kind) {
    case "text":
      return { type: "string", ...(shape.choices && { enum: shape.choices }) };
    case "number": {
      const { whole, least } = shape;
      return { type: whole ? "integer" : "number", ...(least !== undefined && { minimum: least }) };
    }
    case "truth":
      return { type: "boolean" };
    case "list": {
      const { items, length } = shape;
      const size = length === undefined ? {} : { minItems: length, maxItems: length };
      return { type: "array", items: schemaOf(items, definitions), ...size };
    }
    case "table":
      return { type: "object", additionalProperties: schemaOf(shape.values, definitions) };
    case "map":
      return define(shape.name, definitions, () => mapSchema(shape, definitions));
    case "either":
      return define(shape.name, definitions, () => ({
        anyOf: shape.options().map((option) => schemaOf(option, definitions)),
      }));
  }
}

/** Schema of unknown keys, which are read with a warning, so that editors underline them. */
const UNKNOWN_KEY = { deprecationMessage: "This has no effect, as it is no key of recipes here." };

function mapSchema(
  { keys }: { readonly keys: Readonly<Record<string, Key>> },
  definitions: Map<string, JsonSchema>,
) {
  const entries = Object.entries(keys);
  const required = entries.filter(([, key]) => key.required).map(([name]) => name);
  const properties = entries.map(([name, { shape, description }]) => {
    const schema = schemaOf(shape, definitions);
    // Words beside a reference are not read in draft 7.
    return [name, "$ref" in schema ? { description, allOf: [schema] } : { description, ...schema }];
  });
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: UNKNOWN_KEY,
  };
}

/**
 * Defines a schema once, and returns a reference to it. The name is reserved before the schema is made,
 * because schemas contain each other.
 */
function define(name: string, definitions: Map<string, JsonSchema>, make: () => JsonSchema): JsonSchema {
  if (!definitions.has(name)) {
    definitions.set(name, {});
    definitions.set(name, make());
  }
  return { $ref: `#/definitions/${name}` };
}
