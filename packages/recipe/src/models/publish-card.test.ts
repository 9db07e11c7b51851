import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, saveCheckpoint } from "@isthmus/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { joinCard, splitCard } from "./card-text.ts";
import { deriveLicence, readLicence } from "./licences.ts";
import { formatModelCard } from "./model-card.ts";
import { publishCard } from "./publish-card.ts";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-card-"));
});
afterAll(() => rm(root, { recursive: true }));

/** Writes a folder with a model card whose front matter names a licence, and other files. */
async function folderOf(name: string, front: string | undefined, files: Record<string, string> = {}) {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  const card = front === undefined ? {} : { "README.md": `---\n${front}\n---\n# x\n` };
  for (const [file, text] of Object.entries({ ...card, ...files })) await writeFile(join(folder, file), text);
  return folder;
}

/** Saves weights in a folder, with a record of their making in the metadata. */
async function saveWeights(folder: string, record: object | undefined) {
  const checkpoint = createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(1)) });
  const metadata = record === undefined ? {} : { isthmus: JSON.stringify(record) };
  await saveCheckpoint(checkpoint, join(folder, "model.safetensors"), { metadata, overwrite: true });
}

const model = (name: string, licence: string | undefined) => ({ name, licence });

describe("deriveLicence()", () => {
  it("keeps a licence that all share, also one that forbids commercial use", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("mit", "apache-2.0", "cc-by-nc-4.0"),
        fc.integer({ min: 1, max: 4 }),
        (licence, count) => {
          const inputs = Array.from({ length: count }, (_, i) => model(`m${i}`, licence));
          expect(deriveLicence(inputs)).toEqual({ licence, warnings: [] });
        },
      ),
    );
  });

  it("names licences that differ or are not known, and chooses none", () => {
    const differing = deriveLicence([model("a", "mit"), model("b", "apache-2.0")]);
    expect(differing.licence).toBeUndefined();
    expect(differing.warnings).toEqual([
      'the licences of the inputs differ: "a" (mit), "b" (apache-2.0); the card names none, choose one by --licence',
    ]);
    const unknown = deriveLicence([model("a", "mit"), model("b", undefined)]);
    expect(unknown.warnings[0]).toMatch(/is not known: "a" \(mit\), "b" \(unknown\)/);
  });

  it("refuses works that may not be derived, and commercial use that may not be mixed in", () => {
    for (const licence of ["cc-by-nc-4.0", "cc-by-nc-sa-4.0", "mnpl", "fair-noncommercial-research"])
      expect(() => deriveLicence([model("a", "mit"), model("b", licence)])).toThrow(
        /"b" has .* --licence X$/,
      );
    for (const licence of ["cc-by-nd-4.0", "cc-by-nc-nd-4.0"])
      expect(() => deriveLicence([model("a", licence)])).toThrow(/forbid derived works/);
    for (const licence of ["mit", "bsd-3-clause", "openrail", "llama3.1", "gpl-3.0", "cc-by-4.0", "ncsa"])
      expect(() => deriveLicence([model("a", "x"), model("b", licence)])).not.toThrow();
    expect(deriveLicence([model("a", "cc-by-nd-4.0")], "mit")).toEqual({
      licence: "mit",
      warnings: [expect.stringContaining('"a" (cc-by-nd-4.0)')],
    });
  });
});

describe("publishCard()", () => {
  it("makes a card of the recipe, with the models, their licence, and what was measured", async () => {
    const a = await folderOf("a", "license: MIT");
    const b = await folderOf("b", "license: other\nlicense_name: mit");
    const recipe = `merge_method: linear\nmodels:\n  - model: ${a}\n  - model: ${b}+hub:me/lora\nparameters: {weight: 0.5}\n`;
    const folder = await folderOf("made", undefined, { "recipe.yml": recipe });
    const card = await publishCard(folder, { name: "made", measured: "## Measured\n\n1.5", licence: "mit" });
    const { front, body } = splitCard(card.text, "card");
    expect(front).toMatchObject({ base_model: ["me/lora"], base_model_relation: "merge", license: "mit" });
    expect(front["tags"]).toEqual(["merge", "isthmus"]);
    expect(body).toContain("merge_method: linear");
    expect(body.trimEnd().endsWith("## Measured\n\n1.5")).toBe(true);
    expect(card.inputs.map(({ licence }) => licence)).toEqual(["mit", "mit", undefined]);
    expect(card.warnings).toHaveLength(2);
    expect(card.warnings[1]).toContain("paths of this machine");
  });

  it("keeps what the card in the folder says", async () => {
    const front = "license: apache-2.0\nbase_model: me/a\nlanguage: de\ntags: [x]";
    const card = await publishCard(await folderOf("kept", front), { name: "kept", models: ["hub:me/b@v1"] });
    expect(splitCard(card.text, "card")).toEqual({
      front: {
        license: "apache-2.0",
        base_model: ["me/a", "me/b"],
        base_model_relation: "merge",
        language: "de",
        tags: ["x", "merge", "isthmus"],
      },
      body: "\n# x\n",
    });
  });

  it("writes of an adapter, of a merge without a recipe, and of a model what they are", async () => {
    const settings = JSON.stringify({ base_model_name_or_path: "me/base", peft_type: "LORA" });
    const adapter = await folderOf("lora", undefined, { "adapter_config.json": settings });
    const { text } = await publishCard(adapter, { name: "lora" });
    expect(splitCard(text, "card")).toEqual({
      front: { base_model: ["me/base"], base_model_relation: "adapter", library_name: "peft" },
      body: "\n# lora\n\nAn adapter of `me/base`.\n",
    });
    const plain = await folderOf("plain", undefined, { "config.json": "{}" });
    expect((await publishCard(plain, { name: "plain" })).text).toBe(
      "---\nlibrary_name: transformers\n---\n\n# plain\n\nA model.\n",
    );
    const merged = await folderOf("quick", undefined);
    const record = { verb: "merge", version: "1", weights: [0.7, 0.3], inputs: ["a", "b"] };
    await saveWeights(merged, record);
    const card = await publishCard(merged, { name: "quick" });
    expect(card.text).toMatch(
      /A merge of 2 networks, made with[\s\S]*\| a \| {2}\| 0.7 \|\n\| b \| {2}\| 0.3 \|/,
    );
    expect(splitCard(card.text, "card").front["tags"]).toEqual(["merge", "isthmus"]);
  });

  it("refuses the card and the recipe of an earlier merge, by the record in the weights", async () => {
    const recipe = "models:\n  - model: ./a\n  - model: ./b\nmerge_method: linear\n";
    const made = { merge_method: "linear", models: [{ model: "./a" }, { model: "./b" }] };
    const networks = [{ name: "./a" }, { name: "./b" }];
    const readme = formatModelCard({ name: "x", networks, recipe, method: "linear" });
    const files = { "recipe.yml": recipe, "README.md": readme };
    const folder = await folderOf("again", undefined, files);
    await saveWeights(folder, { verb: "merge", version: "1", recipe: made });
    expect((await publishCard(folder, { name: "again" })).text).toContain("merge_method: linear");
    const other = { ...made, merge_method: "slerp" };
    for (const record of [{ verb: "merge", inputs: ["a"] }, { verb: "merge", recipe: other }, undefined]) {
      await saveWeights(folder, record);
      await expect(publishCard(folder, { name: "again" })).rejects.toThrow(/must be the one that made/);
    }
    await rm(join(folder, "recipe.yml"));
    await expect(publishCard(folder, { name: "again" })).rejects.toThrow(/remove README.md and recipe.yml/);
    // A card of a user's own, with a recipe of another program, is no matter of ours.
    await writeFile(join(folder, "README.md"), "# mine\n");
    await writeFile(join(folder, "recipe.yml"), recipe);
    expect((await publishCard(folder, { name: "again" })).text).toContain("# mine");
  });

  it("refuses front matter that is no set of fields, is damaged, or grows", async () => {
    const bomb = `a: &a [x,x]\n${"bcdefghi".replace(/./g, (c, i) => `${c}: &${c} [${`*${"abcdefghi"[Number(i)]},`.repeat(9)}]\n`)}`;
    for (const front of ["- a", "a: [", `${"[".repeat(5000)}`, bomb]) {
      const folder = await folderOf("bad", front);
      await expect(publishCard(folder, { name: "bad" })).rejects.toThrow();
      expect(await readLicence(folder)).toBeUndefined();
    }
  });

  it("splits what it joins", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string()),
        fc.string(),
        (fields, text) => {
          const front = { ...fields };
          const body = `\n${text}`;
          expect(splitCard(joinCard({ front, body }), "card")).toEqual({ front, body });
        },
      ),
    );
  });
});
