import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readYamlFile } from "@isthmus/forms";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { loadMeasurementSchemas } from "./measurement-schema.ts";
import { studyJsonSchema } from "./study-json-schema.ts";

const studies = new URL("../../../cli/studies/", import.meta.url);
const schema = JSON.parse(JSON.stringify(await studyJsonSchema()));
const reader = z.fromJSONSchema(schema);
const read = async (name: string) => {
  const { value } = await readYamlFile(fileURLToPath(new URL(name, studies)), "study");
  return Object(value);
};

describe("studyJsonSchema()", () => {
  it("is published as it is; else run tools/write-schemas.ts", () => {
    const published = readFileSync(new URL("../../study.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(published)).toEqual(schema);
  });

  it.each(readdirSync(studies).filter((name) => name.endsWith(".yaml")))(
    "accepts the study %s",
    async (name) => {
      expect(reader.safeParse(await read(name)).error).toBeUndefined();
    },
  );

  it("refuses keys and values that studies do not have, of networks and of measurements", async () => {
    const study = await read("dropout-stability.yaml");
    const spoil = (part: "networks" | "measurements", more: object) => {
      const [[name, entry]] = Object.entries(study[part]) as [[string, object]];
      return { ...study, [part]: { ...study[part], [name]: { ...entry, ...more } } };
    };
    expect(reader.safeParse(spoil("networks", {})).success).toBe(true);
    expect(reader.safeParse(spoil("networks", { epohcs: 2 })).success).toBe(false);
    expect(reader.safeParse(spoil("networks", { data: 2 })).success).toBe(false);
    expect(reader.safeParse(spoil("measurements", { trails: 2 })).success).toBe(false);
    expect(reader.safeParse(spoil("measurements", { kind: "none" })).success).toBe(false);
  });

  it("has all measurements, with the help of their options", async () => {
    const text = JSON.stringify(schema);
    for (const { shape } of await loadMeasurementSchemas())
      for (const { description } of Object.values(shape) as z.ZodType[])
        if (description !== undefined) expect(text).toContain(JSON.stringify(description));
  });
});
