import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openCheckpoint, toFloat64 } from "@isthmus/core";
import { openAdapter } from "@isthmus/merging";
import { describe, expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { explainPlan } from "../plan/explain-plan.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import { openRecipe } from "../run/open-recipe.ts";
import { openReference, splitReference } from "../run/open-reference.ts";
import { runRecipe } from "../run/run-recipe.ts";
import { verifyRecipe } from "../run/verify-recipe.ts";

/** Adapters, and what PEFT's `add_weighted_adapter` makes of them: tools/golden/peft-adapters.py. */
const golden = (name: string): string =>
  fileURLToPath(new URL(`../../../merging/test/golden/adapters/${name}`, import.meta.url));
const BASE = golden("base.safetensors");

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

function recipeOf(method: string, weights: Readonly<Record<string, number | string>>, rest = ""): string {
  const models = Object.entries(weights).map(
    ([name, weight]) => `  - model: ${golden(name)}\n    parameters: { weight: ${weight} }\n`,
  );
  return `merge_method: ${method}\nmodels:\n${models.join("")}${rest}`;
}

/** Merges adapters by a recipe, and checks that it can be verified; returns the folder. */
async function save(recipe: string): Promise<string> {
  const out = join(folder, "merged");
  await runRecipe(parseRecipe(recipe, "r.yml"), out, { overwrite: true });
  expect(await verifyRecipe(out)).toMatchObject({ ok: true, deviations: [] });
  return out;
}

/** Checks that two networks, by their references, have the same tensors and values. */
async function expectNear(reference: string, expected: string): Promise<void> {
  await using actual = await openReference(reference);
  await using other = await openCheckpoint(expected);
  expect([...actual.tensors.keys()].sort()).toEqual([...other.tensors.keys()].sort());
  for (const name of other.tensors.keys()) {
    const [a, b] = await Promise.all([actual.read(name), other.read(name)]);
    const [x, y] = [toFloat64(a.data, a.dtype), toFloat64(b.data, b.dtype)];
    for (const [i, value] of y.entries()) expect(Math.abs((x[i] ?? Number.NaN) - value)).toBeLessThan(4e-6);
  }
}

const messageOf = (recipe: string): Promise<string> =>
  openRecipe(parseRecipe(recipe, "r.yml"), { strict: true }).then(
    () => "no error",
    (error: Error) => error.message,
  );

describe("recipes of adapters", () => {
  test.each([
    ["linear", "linear", { plain: 0.7, stabilized: -0.4 }, ""],
    ["linear_partial", "linear", { plain: 1, small: 0.5 }, ""],
    ["cat", "cat", { plain: 0.7, stabilized: -0.4 }, ""],
    ["svd", "svd", { plain: 0.7, stabilized: 0.4 }, ""],
    ["svd_3", "svd", { plain: 0.7, stabilized: -0.4 }, "parameters: { rank: 3 }\n"],
    ["ties", "ties", { plain: 0.7, stabilized: 0.4 }, "parameters: { density: 0.5 }\n"],
  ])("make what PEFT makes by %s", async (name, method, weights, rest) => {
    const out = await save(recipeOf(method, weights, rest));
    await expectNear(`${BASE}+${out}`, golden(`merged/${name}.safetensors`));
  });

  test("apply all adapters that a model names, in a text or in parts", async () => {
    const [plain, small] = [golden("plain"), golden("small")];
    const whole = `${BASE}+${plain}+${small}`;
    for (const reference of [whole, { model: whole }, { model: `${BASE}+${plain}`, lora: small }])
      expect(await splitReference(reference)).toEqual({
        path: BASE,
        revision: undefined,
        adapters: [plain, small],
      });
    const sum = await save(recipeOf("cat", { plain: 1, small: 1 }));
    await using both = await openReference({ model: `${BASE}+${plain}`, lora: small });
    await using expected = await openReference(`${BASE}+${sum}`);
    for (const name of expected.tensors.keys()) {
      const [x, y] = await Promise.all([both.read(name), expected.read(name)]);
      for (const [i, value] of toFloat64(y.data, y.dtype).entries())
        expect(toFloat64(x.data, x.dtype)[i]).toBeCloseTo(value, 4);
    }
  });

  test("keep out of the folder of a model", async () => {
    const file = join(folder, "model.safetensors");
    writeFileSync(file, readFileSync(BASE));
    const recipe = parseRecipe(recipeOf("cat", { plain: 1, stabilized: 1 }), "r.yml");
    await expect(runRecipe(recipe, folder, { overwrite: true })).rejects.toThrow(
      'must not be the folder of a model, which could no longer be opened as one: it holds "model.safetensors"',
    );
  });

  test("apply a method of networks in core space, each adapter with its own weight", async () => {
    // Of three adapters, one lacks some modules: weights must stay with their adapters.
    const weights = { small: 0.3, plain: 0.7, stabilized: -0.4 };
    const exact = join(folder, "exact");
    await runRecipe(parseRecipe(recipeOf("cat", weights)), exact);
    const out = await save(recipeOf("core_task_arithmetic", weights));
    await using applied = await openReference(`${BASE}+${exact}`);
    await using inCore = await openReference(`${BASE}+${out}`);
    for (const name of applied.tensors.keys()) {
      const [a, b] = await Promise.all([applied.read(name), inCore.read(name)]);
      const [x, y] = [toFloat64(a.data, a.dtype), toFloat64(b.data, b.dtype)];
      for (const [i, value] of x.entries()) expect(y[i]).toBeCloseTo(value, 4);
    }
  });

  test("take element types, filters and gradients, and say where values stand", async () => {
    const weight = "[{ filter: down, value: 0 }, { value: [1, 3] }]";
    const recipe = recipeOf("cat", { plain: weight, stabilized: 2 }, "dtype: bfloat16\n");
    const opened = await openRecipe(parseRecipe(recipe, "r.yml"));
    const explained = explainPlan(opened.plan, "lora_A");
    await opened.close();
    expect(new Map(explained.map(({ tensor, parameters }) => [tensor, parameters["weight"]]))).toEqual(
      new Map([
        ["base_model.model.conv.lora_A.weight", [1, 2]],
        ["base_model.model.layers.0.down.lora_A.weight", [0, 2]],
        ["base_model.model.layers.0.up.lora_A.weight", [1, 2]],
        ["base_model.model.layers.1.down.lora_A.weight", [0, 2]],
        ["base_model.model.layers.1.up.lora_A.weight", [3, 2]],
      ]),
    );
    expect(explained[1]?.reason).toBe(
      'cat, weight 0, 2 (r.yml:4: models[0].parameters.weight[0], filter "down"; r.yml:6: models[1].parameters.weight)',
    );
    const out = await save(recipe);
    const adapter = await openAdapter(out);
    expect(adapter.modules.get("layers.1.up")).toMatchObject({ rank: 4, scale: 1 });
    expect([...adapter.checkpoint.tensors.values()].every(({ dtype }) => dtype === "bf16")).toBe(true);
    await adapter.close();
  });

  test("keep tensors that one adapter replaces", async () => {
    const out = await save(recipeOf("cat", { patterns: 1, small: 1 }));
    await using adapter = await openCheckpoint(out);
    await using patterns = await openCheckpoint(golden("patterns"));
    const name = "base_model.model.head.weight";
    expect((await adapter.read(name)).data).toEqual((await patterns.read(name)).data);
  });

  test("are found changed where the settings of an adapter changed", async () => {
    const copy = join(folder, "copy");
    await runRecipe(parseRecipe(recipeOf("cat", { plain: 1 })), copy);
    const out = join(folder, "out");
    const recipe = parseRecipe(
      `merge_method: cat\nmodels: [{ model: ${copy}, parameters: { weight: 1 } }, { model: ${golden("small")}, parameters: { weight: 1 } }]`,
    );
    await runRecipe(recipe, out, { hashInputs: true });
    const settings = join(copy, "adapter_config.json");
    writeFileSync(
      settings,
      readFileSync(settings, "utf8").replace(/"lora_alpha": [\d.]+/, '"lora_alpha": 31'),
    );
    const { ok, changedInputs } = await verifyRecipe(out);
    expect([ok, changedInputs]).toEqual([false, ["adapter_config.json"]]);
  });

  const two = { plain: 1, small: 1 };
  test.each([
    [
      recipeOf("tsv_m", two),
      'r.yml:1: "merge_method" is "tsv_m", which merges full networks; adapters are merged by linear, svd, cat, ties, ties_svd, dare_ties, dare_linear, dare_ties_svd, dare_linear_svd, magnitude_prune, magnitude_prune_svd, or by "core_tsv_m", the same in core space',
    ],
    [
      recipeOf("dare", two),
      'is "dare"; adapters are merged by linear, svd, cat, ties, ties_svd, dare_ties, dare_linear, dare_ties_svd, dare_linear_svd, magnitude_prune, magnitude_prune_svd, or by core_NAME',
    ],
    [recipeOf("svd", two, "parameters: { rnk: 3 }\n"), 'r.yml:7: "parameters.rnk" is no parameter of svd'],
    [
      recipeOf("svd", two, "parameters: { rank: 1.5 }\n"),
      '"parameters.rank" must be a whole number: it is 1.5',
    ],
    [
      recipeOf("svd", two, "parameters: { rank: 0 }\n"),
      '"parameters.rank" must be a number in [1, Infinity]',
    ],
    [
      recipeOf("ties", two, "parameters: { density: 2 }\n"),
      'Cannot merge adapters as all settings must be in their ranges and have an effect: r.yml:7: "parameters.density" must be a number in [0, 1]: it is 2',
    ],
    [
      recipeOf("linear", two, "parameters: { density: 0.5 }\n"),
      '"parameters.density" has no effect as it is no parameter of linear: it has weight; it is one of ties',
    ],
    [
      recipeOf("linear", two, "base_model: x\ntokenizer_source: union\n"),
      'r.yml:7: "base_model" has no effect on a merge of adapters, as all models are: leave it out',
    ],
    [
      `merge_method: cat\nmodels:\n  - model: ${golden("plain")}\n    align: true\n`,
      'r.yml:4: "models[0].align" has no effect on an adapter',
    ],
    [
      `merge_method: cat\nmodels:\n  - model: ${golden("plain")}\n`,
      'r.yml:3: "models[0]" has no "weight" for "conv.weight", and cat of adapters has no default',
    ],
    [
      `merge_method: linear\nmodels:\n  - model: ${BASE}\n  - model: ${golden("plain")}\n`,
      `r.yml:4: "models[1].model" is a LoRA adapter among networks: write it behind the model that it changes, as "${BASE}+${golden("plain")}"`,
    ],
    [
      recipeOf("cat", { plain: "[{ filter: downn, value: 1 }, { value: 2 }]" }),
      '"downn" matches none of 6 tensors; did you mean "down"?',
    ],
    [
      recipeOf("linear", { plain: 1, patterns: 1 }),
      'their ranks of "layers.0.down" must be equal: they are 2, 3',
    ],
    [
      recipeOf("core_slerp", { plain: 1 }).replace("weight", "t"),
      '"models[0].parameters.t" has no effect here as core_slerp has one "t" for all networks',
    ],
    [
      `merge_method: core_slerp\nparameters: { t: 0.5 }\nmodels: [{ model: ${golden("plain")} }]\n`,
      'by slerp as it merges 2 changes of a module: 1 of the adapters change "conv"',
    ],
  ])("say what is wrong, where, and what to write (%#)", async (recipe, message) => {
    expect(await messageOf(recipe)).toContain(message);
  });

  test("of files of kohya are written as one file, which can be verified", async () => {
    const files = { "files/kohya-a.safetensors": 0.7, "files/kohya-b.safetensors": -0.4 };
    const recipe = parseRecipe(recipeOf("cat", files), "r.yml");
    const out = join(folder, "sum.safetensors");
    const { modelFiles } = await runRecipe(recipe, out);
    expect(modelFiles.files).toEqual([]);
    expect(await verifyRecipe(out)).toMatchObject({ ok: true, deviations: [] });
    const merged = await openAdapter(out);
    expect([...merged.modules.values()].map(({ rank, scale }) => [rank, scale])).toEqual([
      [4, 1],
      [7, 1],
      [7, 1],
    ]);
    await merged.close();
  });

  test("of files are not taken for networks, where factors would be blended one by one", async () => {
    const [a, b] = [golden("files/kohya-a.safetensors"), golden("files/kohya-b.safetensors")];
    const source = (file: string) => `{ model: ${file}, layer_range: [0, 1], parameters: { weight: 1 } }`;
    const slices = `merge_method: linear\nslices:\n  - sources: [${source(a)}, ${source(b)}]\n`;
    expect(await messageOf(slices)).toContain("its factors mean nothing by themselves");
    expect(await messageOf(recipeOf("linear", { "files/kohya-a.safetensors": 1 }))).toContain(
      "blends factors one by one",
    );
  });

  test("are written to folders", async () => {
    const recipe = parseRecipe(recipeOf("cat", two));
    await expect(runRecipe(recipe, join(folder, "x.safetensors"))).rejects.toThrow(
      "an adapter is a folder of weights and settings: name a folder",
    );
    await expect(runRecipe(recipe, golden("plain"), { overwrite: true })).rejects.toThrow(
      "must not be a file that is read from",
    );
  });
});
