import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { recipeJsonSchema } from "./recipe-json-schema.ts";

const recipes = new URL("../../test/golden/recipes/", import.meta.url);
const schema = JSON.parse(JSON.stringify(recipeJsonSchema()));

describe("recipeJsonSchema()", () => {
  test("is published as it is; else run tools/write-schemas.ts", () => {
    const published = readFileSync(new URL("../../recipe.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(published)).toEqual(schema);
  });

  test("accepts recipes of mergekit and of ours", () => {
    const reader = z.fromJSONSchema(schema);
    for (const name of readdirSync(recipes).filter((file) => file.endsWith(".yml")))
      expect(reader.safeParse(parse(readFileSync(new URL(name, recipes), "utf8"))).error).toBeUndefined();
    const nested = { merge_method: "linear", models: [{ model: "a", align: true }] };
    const searched = { weight: [{ filter: "mlp", value: { search: [0, 1] } }] };
    const recipe = { merge_method: "mine", models: [{ model: nested, parameters: searched }], strict: true };
    expect(reader.safeParse(recipe).error).toBeUndefined();
  });

  test("has editors mark keys that recipes do not have, which are read with a warning", () => {
    const mark = { deprecationMessage: expect.stringContaining("no effect") };
    expect(schema.additionalProperties).toEqual(mark);
    expect(schema.definitions.input.additionalProperties).toEqual(mark);
    const found = { merge_method: "linear", out_path: "x", models: [{ model: "a", revision: "main" }] };
    expect(z.fromJSONSchema(schema).safeParse(found).success).toBe(true);
  });

  test.each([
    [{ models: [{ model: "a" }] }],
    [{ merge_method: "linear", slices: [{ sources: [{ model: "a", layer_range: [0] }] }] }],
    [{ merge_method: "linear", models: [{ model: "a", parameters: { weight: [{ filter: "x" }] } }] }],
  ])("refuses %j", (recipe) => {
    expect(z.fromJSONSchema(schema).safeParse(recipe).success).toBe(false);
  });
});
