import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor } from "@isthmus/core";
import { mergeByPlan } from "@isthmus/merging";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseRecipe } from "../read/parse-recipe.ts";
import { checkRecipe } from "./groups.ts";
import { planChecked } from "./plan-recipe.ts";

const network = createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(3)) });
const warnings: string[] = [];
const prepared: string[] = [];
const onWarning = (warning: string) => warnings.push(warning);
const planOf = async (text: string) =>
  planChecked(checkRecipe(parseRecipe(text, "r.yml"), { onWarning }), {
    open: async () => network,
    onWarning,
    async prepare({ recipe }) {
      prepared.push(recipe.merge_method);
      return new Map();
    },
  });

let folder: string;
const file = (name: string, models: readonly string[], more = "") => {
  const path = join(folder, name);
  writeFileSync(
    path,
    `merge_method: linear\nmodels: [${models.map((model) => `{ model: ${model} }`)}]\n${more}`,
  );
  return path;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-nested-"));
  warnings.length = 0;
  prepared.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("recipes in files", () => {
  test("are read and planned once, whatever path leads to them", async () => {
    const inner = file("inner.yml", ["a", "b"], "out_path: x\n");
    const link = join(folder, "link.yml");
    symlinkSync(inner, link);
    const plan = await planOf(
      `merge_method: linear\nmodels: [{ model: ${inner} }, { model: ${link} }, { model: a }]`,
    );
    expect(prepared).toEqual(["linear", "linear"]);
    expect((await mergeByPlan(plan).read("w")).data).toEqual(Float32Array.of(3));
    expect(warnings).toEqual([expect.stringMatching(/^inner\.yml:3: "out_path" has no effect/)]);
  });

  test("may name each other a hundred times, not more", async () => {
    let path = file("n0.yml", ["a", "b"]);
    for (let i = 1; i <= 5; i++) path = file(`n${i}.yml`, [path, path]);
    await planOf(`merge_method: linear\nmodels: [{ model: ${path} }]`); // 2^6 - 1
    for (let i = 6; i <= 30; i++) path = file(`n${i}.yml`, [path, path]);
    await expect(planOf(`merge_method: linear\nmodels: [{ model: ${path} }]`)).rejects.toThrow(
      /it may need 100 others, each counted as often as it is named: n6\.yml:2: "models\[1\]" makes them more/,
    );
  });

  test("say where they name one that is not there, and that a ring has no end", async () => {
    const outer = file("outer.yml", ["a", join(folder, "none.yml")]);
    await expect(planOf(`merge_method: linear\nmodels: [{ model: ${outer} }]`)).rejects.toThrow(
      /none\.yml.*\(outer\.yml:2: "models\[1\]"\)/,
    );
    const ring = file("ring.yml", [file("other.yml", [join(folder, "ring.yml")])]);
    await expect(planOf(`merge_method: linear\nmodels: [{ model: ${ring} }]`)).rejects.toThrow(
      "must not need itself",
    );
  });

  test("warn of what has no effect in recipes that stand inside", async () => {
    await planOf(
      "merge_method: linear\nmodels:\n  - model: a\n  - model:\n      merge_method: linear\n      models: [{ model: a }]\n      embed_slerp: 1\n      parameters: { density: 1 }\n",
    );
    expect(warnings).toEqual([
      expect.stringMatching(/^r\.yml:7: "models\[1\]\.model\.embed_slerp" has no effect/),
      expect.stringMatching(/^r\.yml:8: "parameters\.density" has no effect/),
    ]);
  });
});
