import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { OTHER_RESULTS } from "../../test/other-results.ts";
import { resultJsonSchema } from "./result-json-schema.ts";

const schema = JSON.parse(JSON.stringify(await resultJsonSchema()));

describe("resultJsonSchema()", () => {
  it("is published as it is; else run tools/write-schemas.ts", () => {
    const published = readFileSync(new URL("../../result.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(published)).toEqual(schema);
  });

  it.each(OTHER_RESULTS)("accepts a whole $kind, and refuses its kind alone", (result) => {
    const reader = z.fromJSONSchema(schema);
    expect(reader.safeParse(JSON.parse(JSON.stringify(result))).error).toBeUndefined();
    expect(reader.safeParse({ kind: result.kind }).success).toBe(false);
  });
});
