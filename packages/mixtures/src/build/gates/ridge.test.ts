import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, createRandom, openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { dataContext, fitToData, openExamples, readArchitecture } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveDense } from "../../../test/dense-models.ts";
import { fitRouters } from "../../routers/fit-routers.ts";
import { buildMixture } from "../build-mixture.ts";
import { parseMixtureRecipe } from "../read-mixture-recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-ridge-gates-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const engine = createOnnxRuntimeEngine();
const NAMES = ["a", "b"] as const;
const dataOf = (name: string) => `text:${path(name)}.txt:train`;

beforeAll(async () => {
  for (const [seed, name] of ["base", ...NAMES].entries()) await saveDense(path(name), { seed });
  for (const [seed, letters] of ["abcdefgh", "efghijkl"].entries()) {
    const random = createRandom(seed);
    const text = Array.from({ length: 600 }, () => letters[random.integer(8)]).join("");
    writeFileSync(`${path(NAMES[seed] ?? "")}.txt`, text);
  }
});

const recipeOf = (keys: readonly string[]) =>
  parseMixtureRecipe(
    `base_model: ${path("base")}\ngate_mode: ridge\nexperts:\n${NAMES.map((name, i) => `  - source_model: ${path(name)}\n${keys[i] ?? ""}`).join("")}`,
  );

describe("gate_mode: ridge", () => {
  it("gives the routers that are fitted to the finished mixture", async () => {
    const notes: string[] = [];
    const recipe = recipeOf(NAMES.map((name) => `    data: ${dataOf(name)}\n`));
    await buildMixture(recipe, path("mixture"), { engine, onNote: (note) => notes.push(note) });
    expect(notes.join()).toMatch(/Of held tokens \d+ %.* go to the expert of their text/);
    await using mixture = await openCheckpoint(path("mixture"));
    const read = await readArchitecture(path("mixture"), {});
    const texts = await Promise.all(NAMES.map((name) => openExamples(dataOf(name), dataContext(read))));
    const { graph } = fitToData(read, at(texts, 0, "text"));
    const fitted = await fitRouters({ graph, engine }, mixture, texts, { threads: 1 });
    for (const { weight, accuracy } of fitted.routers) {
      expect(accuracy).toBeGreaterThan(0.6);
      const [got, wanted] = [await mixture.read(weight), await fitted.mixture.read(weight)];
      for (const [i, value] of got.data.entries()) expect(value).toBeCloseTo(Number(wanted.data[i]), 2);
    }
  });

  it("asks for the text of each expert", async () => {
    const recipe = recipeOf([`    data: ${dataOf("a")}\n`]);
    await expect(buildMixture(recipe, path("none"), { engine })).rejects.toThrow(/has no key "data"/);
  });
});
