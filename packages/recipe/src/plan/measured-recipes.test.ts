import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import { esm, fisherMerge, merge, regmean } from "@isthmus/merging";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { parseRecipe } from "../read/parse-recipe.ts";
import { openRecipe } from "../run/open-recipe.ts";
import { runRecipe } from "../run/run-recipe.ts";
import { verifyRecipe } from "../run/verify-recipe.ts";
import { explainPlan } from "./explain-plan.ts";
import { summarizePlan } from "./summarize-plan.ts";

const [OUTPUTS, INPUTS] = [4, 3];
const numbers = (count: number, seed: number) => {
  const { normal } = createRandom(seed, "numbers");
  return Float32Array.from({ length: count }, normal);
};
const tensor = (shape: readonly number[], seed: number) =>
  createTensor(
    "f32",
    shape,
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
  );
const networkOf = (seed: number) =>
  createCheckpoint({ "fc.weight": tensor([OUTPUTS, INPUTS], seed), "fc.bias": tensor([OUTPUTS], seed + 1) });
const fisherOf = (seed: number) => {
  const squares = numbers(OUTPUTS * INPUTS, seed).map((x) => x * x);
  return createCheckpoint({ "fc.weight": createTensor("f32", [OUTPUTS, INPUTS], squares) });
};
const gramsOf = (seed: number) => {
  const rows = numbers(7 * INPUTS, seed);
  const gram = Float64Array.from({ length: INPUTS ** 2 }, (_, p) =>
    Array.from({ length: 7 }, (_, e) => e * INPUTS).reduce(
      (sum, at) => sum + (rows[at + Math.floor(p / INPUTS)] ?? 0) * (rows[at + (p % INPUTS)] ?? 0),
      0,
    ),
  );
  return createCheckpoint({ "fc.weight": createTensor("f64", [INPUTS, INPUTS], gram) });
};

const FILES: Readonly<Record<string, Checkpoint>> = {
  ...{ a: networkOf(1), b: networkOf(3), fa: fisherOf(5), fb: fisherOf(6), ga: gramsOf(7), gb: gramsOf(8) },
  wide: createCheckpoint({ "fc.weight": tensor([INPUTS, OUTPUTS], 1) }),
  other: createCheckpoint({ "model.fc.weight": tensor([OUTPUTS, INPUTS], 1) }),
  "of-bias": createCheckpoint({ "fc.bias": tensor([OUTPUTS], 1) }),
};

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-measured-"));
  for (const [name, checkpoint] of Object.entries(FILES))
    await saveCheckpoint(checkpoint, join(folder, `${name}.safetensors`));
});
afterEach(() => rmSync(folder, { recursive: true }));

const recipeOf = (text: string) =>
  parseRecipe(
    text.replaceAll(/\b[a-z-]+\.safetensors/g, (name) => join(folder, name)),
    "r.yml",
  );
const models = (key: string, [a, b]: readonly string[], rest = ""): string =>
  `models:\n  - model: a.safetensors\n    ${key}: ${a}.safetensors\n${rest}  - model: b.safetensors\n    ${key}: ${b}.safetensors\n`;

async function expectSame(merged: string, expected: Checkpoint, names: readonly string[]): Promise<void> {
  await using checkpoint = await openCheckpoint(merged);
  for (const name of names) expect(await checkpoint.read(name)).toEqual(await expected.read(name));
}

const { a, b, fa, fb, ga, gb } = FILES as Record<string, Checkpoint>;

describe("recipes with what was measured of networks", () => {
  it("weight elements by Fisher information, and average what was not measured", async () => {
    const out = join(folder, "out.safetensors");
    const recipe = recipeOf(
      `merge_method: fisher\n${models("fisher", ["fa", "fb"], "    parameters: { weight: 3 }\n")}`,
    );
    const { summary } = await runRecipe(recipe, out, { hashInputs: true });
    expect([summary.merged, summary.absent]).toEqual([2, []]);
    const [x, y] = [a, b].map((network) => ({
      ...network,
      tensors: new Map([...network!.tensors].slice(0, 1)),
    }));
    await expectSame(out, fisherMerge([x as Checkpoint, y as Checkpoint], [fa!, fb!], { weights: [3, 1] }), [
      "fc.weight",
    ]);
    await using merged = await openCheckpoint(out);
    const bias = (await merged.read("fc.bias")).data as Float32Array;
    const [p, q] = [(await a!.read("fc.bias")).data, (await b!.read("fc.bias")).data] as Float32Array[];
    for (const [i, value] of bias.entries()) expect(value).toBeCloseTo(0.75 * p![i]! + 0.25 * q![i]!, 6);
    const { ok, provenance } = await verifyRecipe(out);
    expect(ok).toBe(true);
    expect(provenance.inputs.map(({ source }) => source)).toEqual(
      ["a", "fa", "b", "fb"].map((name) => `${name}.safetensors`),
    );
    await saveCheckpoint(fisherOf(9), join(folder, "fb.safetensors"), { overwrite: true });
    expect(await verifyRecipe(out)).toMatchObject({ ok: false, changedInputs: ["fb.safetensors"] });
  });

  it("fit layers to Gram matrices, with any number of threads and pieces", async () => {
    const out = join(folder, "out.safetensors");
    const recipe = recipeOf(
      `merge_method: regmean\nparameters: { off_diagonal: 0.9 }\n${models("grams", ["ga", "gb"])}`,
    );
    for (const options of [{ threads: 1 }, { threads: 3, pieceBytes: 8 }]) {
      await runRecipe(recipe, out, { overwrite: true, ...options });
      await expectSame(out, regmean([a!, b!], [ga!, gb!], { offDiagonal: 0.9 }), ["fc.weight", "fc.bias"]);
    }
    expect((await verifyRecipe(out)).ok).toBe(true);
    const { plan, close } = await openRecipe(recipe);
    expect(summarizePlan(plan).absent).toEqual([]);
    expect(explainPlan(plan, "fc.weight")[0]?.sources).toHaveLength(2);
    await close();
  });

  it("join the directions in which differences from a base change outputs", async () => {
    const out = join(folder, "out.safetensors");
    await saveCheckpoint(networkOf(11), join(folder, "base.safetensors"));
    const recipe = recipeOf(
      `merge_method: esm\nbase_model: base.safetensors\nparameters: { power: 1 }\n${models("grams", ["ga", "gb"])}`,
    );
    await runRecipe(recipe, out, { threads: 2, pieceBytes: 8 });
    const options = { method: esm, base: networkOf(11), measured: [ga!, gb!], parameters: { power: 1 } };
    await expectSame(out, merge([a!, b!], options), ["fc.weight", "fc.bias"]);
  });

  test.each([
    [
      "merge_method: fisher\nmodels:\n  - model: a.safetensors\n    fisher: fa.safetensors\n  - model: b.safetensors\n",
      'r.yml:5: "models[1]" has no "fisher", which fisher needs of every network: write fisher: FILE, made by measureFisher()',
    ],
    [
      `merge_method: linear\n${models("grams", ["ga", "gb"])}`,
      'r.yml:4: "models[0].grams" has no effect on linear: it is for regmean and esm',
    ],
    [
      `merge_method: fisher\n${models("fisher", ["fa", "fb"], "    align: true\n")}`,
      'r.yml:5: "models[0].align" must not stand beside "fisher", which was measured with units in their own order',
    ],
    [
      `merge_method: fisher\n${models("fisher", ["fa", "wide"])}`,
      'r.yml:6: "models[1].fisher" must have a tensor "fc.weight" of shape [4, 3], as it is merged with what was measured of others: it is [3, 4]',
    ],
    [
      `merge_method: regmean\n${models("grams", ["ga", "other"])}`,
      'r.yml:6: "models[1].grams" must have a tensor "fc.weight" of shape [3, 3], as it is merged with what was measured of others: it has none',
    ],
    [
      `merge_method: regmean\n${models("grams", ["of-bias", "of-bias"])}`,
      'r.yml:4: "models[0].grams" must have Gram matrices of weights [outputs, inputs] only: "fc.bias" is [4]',
    ],
    [
      `merge_method: fisher\n${models("fisher", ["other", "other"])}`,
      'r.yml:4: "models[0].fisher" must have tensors named as in the network, such as "fc.bias": it has "model.fc.weight"',
    ],
    [`merge_method: fisher\n${models("fisher", ["fa", "missing"])}`, '(r.yml:6: "models[1].fisher")'],
    [
      `merge_method: fisher\nparameters: { floor: 0 }\n${models("fisher", ["fa", "fb"])}`,
      'r.yml:2: "parameters.floor" must be a number in [1e-9, Infinity]: it is 0',
    ],
    [
      "merge_method: regmean_plus_plus\nmodels: [{ model: a.safetensors }]\n",
      'r.yml:1: "merge_method" is "regmean_plus_plus", which measures inputs anew after each layer',
    ],
    ...["linear", "multislerp"].map((method) => [
      `merge_method: ${method}\nmodels:\n  - model: a.safetensors\n    parameters: { weight: 1 }\n  - model: b.safetensors\n    parameters: { weight: -1 }\n`,
      `r.yml:6: "models[1].parameters.weight" must not make weights that sum to 0, as ${method} divides by their sum: those of "fc.bias" are 1, -1`,
    ]),
    [
      "merge_method: fisher\nmodels: [{ model: a.safetensors, fischer: x }]\n",
      '"models[0].fischer" is no key here; did you mean "fisher"?',
    ],
  ])("say what is wrong, where, and what to write (%#)", async (text, message) => {
    const open = async () => openRecipe(recipeOf(text));
    const error = await open().then(
      () => "no error",
      ({ message: said }: Error) => said,
    );
    expect(error).toContain(message);
  });
});
