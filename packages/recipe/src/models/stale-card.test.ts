import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatModelCard } from "./model-card.ts";
import { removeStaleCard } from "./stale-card.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-stale-"));
});
afterEach(() => rm(folder, { recursive: true }));

const recipe = "merge_method: linear\nmodels: [{ model: me/a }, { model: ./b }]\n";
const networks = [{ name: "me/a", parameters: { weight: 0.5 } }, { name: "./b" }];
const card = formatModelCard({ name: "merged", networks, recipe, method: "linear", notes: ["a note"] });

async function remove(readme: string, yaml: string = recipe) {
  await writeFile(join(folder, "README.md"), readme);
  await writeFile(join(folder, "recipe.yml"), yaml);
  const note = await removeStaleCard(folder);
  return { note, left: (await readdir(folder)).sort() };
}

describe("removeStaleCard()", () => {
  it("removes the card and the recipe that a merge wrote", async () => {
    expect(await remove(card)).toEqual({ note: undefined, left: [] });
    const short = formatModelCard({ name: "merged", networks });
    expect((await remove(short)).left).toEqual(["recipe.yml"]);
  });

  it("keeps a recipe that is not the recipe of the card", async () => {
    expect((await remove(card, "merge_method: slerp\n")).left).toEqual(["recipe.yml"]);
  });

  it("keeps the card of a user, and says so of a card that the user has changed", async () => {
    const both = ["README.md", "recipe.yml"];
    expect(await remove("# mine\n")).toEqual({ note: undefined, left: both });
    for (const changed of [
      `${card}\nMore.\n`,
      card.replace("library_name", "license: mit\nlibrary_name"),
      card.replace("- a note", "My own words."),
      card.replace("# merged", "# merged\n\nMy own words."),
    ])
      expect(await remove(changed)).toEqual({ note: expect.stringContaining("stays, as it"), left: both });
  });

  it("does nothing to a file, and to a folder that is not there", async () => {
    const file = join(folder, "merged.safetensors");
    await writeFile(file, "");
    for (const path of [file, join(folder, "none")]) expect(await removeStaleCard(path)).toBeUndefined();
    expect(existsSync(file)).toBe(true);
  });
});
