import { createCheckpoint, createTensor } from "@isthmus/core";
import { mergeByPlan } from "@isthmus/merging";
import { describe, expect, test } from "vitest";
import { parseRecipe } from "../read/parse-recipe.ts";
import type { StrictnessOptions } from "../recipe/problem.ts";
import { planRecipe } from "./plan-recipe.ts";

const LAYERS = 4;
const names = Array.from({ length: LAYERS }, (_, i) =>
  ["self_attn.q_proj", "mlp.up_proj"].map((rest) => `model.layers.${i}.${rest}.weight`),
).flat();
const network = (seed: number) =>
  createCheckpoint(
    Object.fromEntries(
      names.map((name, i) => [name, createTensor("f32", [2], Float32Array.of(seed + i, seed * i - 1))]),
    ),
  );
const NETWORKS = { a: network(1), b: network(2), base: network(0.5) };

/** Merges a recipe, and returns its first tensor of each kind with the warnings. */
async function mergeText(text: string, options: StrictnessOptions = {}) {
  const warnings: string[] = [];
  const plan = await planRecipe(parseRecipe(text, "r.yml"), {
    open: async (reference) => NETWORKS[reference as keyof typeof NETWORKS],
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  const merged = mergeByPlan(plan);
  const data = await Promise.all(
    names.map(async (name) => Array.from((await merged.read(name)).data as Float32Array)),
  );
  return { warnings, data };
}

const PAIR = "models: [{ model: a }, { model: b }]\n";
const TIES = "merge_method: ties\nbase_model: base\n";

/** What recipes say without effect, the recipe that says only what counts, and the warning. */
const TOLERATED = [
  [
    "keys that recipes do not have",
    `merge_method: linear\n${PAIR}out_path: x\nallow_negative_weights: true\n`,
    `merge_method: linear\n${PAIR}`,
    [
      /^r\.yml:3: "out_path" has no effect as it is no key here; the keys are merge_method, models, /,
      /^r\.yml:4: "allow_negative_weights" has no effect/,
    ],
  ],
  [
    "keys of models, slices and filters",
    `merge_method: slerp\nparameters:\n  t: [{ filter: mlp, value: 0.2, note: x }, { value: 0.5 }]\nslices:\n  - merge_method: linear\n    residual_weight: 1\n    sources: [{ model: a, layer_range: [0, 4], revision: main }, { model: b, layer_range: [0, 4] }]\n`,
    `merge_method: slerp\nparameters:\n  t: [{ filter: mlp, value: 0.2 }, { value: 0.5 }]\n${PAIR}`,
    [
      /^r\.yml:3: "parameters\.t\[0\]\.note" has no effect/,
      /^r\.yml:5: "slices\[0\]\.merge_method" has/,
      /^r\.yml:6: "slices\[0\]\.residual_weight" has/,
      /^r\.yml:7: "slices\[0\]\.sources\[0\]\.revision" has/,
    ],
  ],
  [
    "parameters of other methods",
    `merge_method: linear\n${PAIR}parameters: { normalize: true, density: 0.5, int8_mask: true, int_space: 1 }\n`,
    `merge_method: linear\n${PAIR}`,
    [
      /r\.yml:3: "parameters\.density" has no effect as it is no parameter of linear: it has weight, normalize; it is one of .*ties/,
      /"parameters\.int8_mask" has no effect/,
      /"parameters\.int_space" has no effect/,
    ],
  ],
  [
    "parameters of the base, and of the merge at a network",
    `${TIES}models: [{ model: base, parameters: { weight: 1, density: [{ filter: mlp, value: 1 }] } }, { model: a, parameters: { weight: 1, normalize: false } }]\n`,
    `${TIES}models: [{ model: base }, { model: a, parameters: { weight: 1 } }]\n`,
    [
      /"models\[1\]\.parameters\.normalize" has no effect here as ties has one "normalize" for all networks/,
      /"models\[0\]\.parameters\.weight" has no effect as ties gives the base no "weight": leave it out/,
      /"models\[0\]\.parameters\.density" has no effect/,
    ],
  ],
  [
    "other spellings of true and false",
    `${TIES}${PAIR}parameters: { weight: 1, normalize: 0.0, int8_mask: "true" }\n`,
    `${TIES}${PAIR}parameters: { weight: 1, normalize: false, int8_mask: true }\n`,
    [
      /"parameters\.normalize" is read as false: it is 0/,
      /"parameters\.int8_mask" is read as true: it is "true"$/,
    ],
  ],
  [
    "filters that change nothing",
    `merge_method: slerp\n${PAIR}parameters:\n  t:\n    - { filter: modelnorm, value: 1 }\n    - { filter: mlp, value: 0.2 }\n    - { filter: mlp.up, value: 0.9 }\n    - value: 0.5\n`,
    `merge_method: slerp\n${PAIR}parameters: { t: [{ filter: mlp, value: 0.2 }, { value: 0.5 }] }\n`,
    [
      /r\.yml:5: "parameters\.t\[0\]\.filter" "modelnorm" matches none of 8 tensors, so that it has no effect/,
      /r\.yml:7: "parameters\.t\[2\]\.filter" "mlp\.up" has no effect as filters before it take all its tensors/,
    ],
  ],
  [
    "gradients of more values than layers",
    `merge_method: slerp\n${PAIR}parameters: { t: [0, 1, 0.1, 0.9, 0.2, 0.8, 0.3] }\n`,
    `merge_method: slerp\n${PAIR}parameters: { t: [0, 0.1, 0.2, 0.3] }\n`,
    [/"parameters\.t" has 7 values along at most 4 layers/],
  ],
  [
    "a network that is named twice",
    "merge_method: linear\nmodels: [{ model: a }, { model: b }, { model: a }]\n",
    "merge_method: linear\nmodels: [{ model: a, parameters: { weight: 2 } }, { model: b }]\n",
    [/"models\[2\]" is named before, so that it counts twice; mergekit 0\.1\.5 refuses that/],
  ],
  [
    "two networks for a method that averages them",
    "merge_method: cart\nbase_model: base\nmodels: [{ model: a }, { model: b }]\nparameters: { rank_ratio: 0.4, lambda: 3 }\n",
    "merge_method: linear\nmodels: [{ model: a }, { model: b }]\n",
    [/"models" has so few networks \(2\) that cart gives their plain average/],
  ],
] as const;

describe("planRecipe() of recipes that say what has no effect", () => {
  test.each(TOLERATED)("reads %s, with a warning each", async (_, text, same, expected) => {
    const { warnings, data } = await mergeText(text);
    expect(warnings).toHaveLength(expected.length);
    for (const [i, warning] of expected.entries()) expect(warnings[i]).toMatch(warning);
    const plain = await mergeText(same);
    expect(plain.warnings).toEqual([]);
    for (const [i, row] of data.entries())
      for (const [j, x] of row.entries()) expect(x).toBeCloseTo(Number(plain.data[i]?.[j]), 5);
  });

  test.each(TOLERATED)("refuses %s if asked to be strict", async (_, text, __, [expected]) => {
    const error = await mergeText(text, { strict: true }).catch((reason: Error) => reason.message);
    expect(String(error).replace(/^[^:]*: /, "")).toMatch(expected);
  });

  test("bounds the warnings of recipes with thousands of keys, and filters of any length", async () => {
    const keys = Array.from({ length: 2000 }, (_, i) => `unknown_${i}: 1\n`).join("");
    const filter = "x".repeat(500_000);
    const weight = `parameters: { weight: [{ filter: ${filter}, value: 2 }, { value: 1 }] }\n`;
    const { warnings } = await mergeText(`merge_method: linear\n${PAIR}${keys}${weight}`);
    expect(warnings).toHaveLength(52);
    expect(warnings[50]).toBe("1950 more things have no effect");
    expect(warnings[51]).toHaveLength(1003);
  });

  test("follows slerp beyond its networks, with a warning", async () => {
    const { warnings, data } = await mergeText(`merge_method: slerp\n${PAIR}parameters: { t: 1.5 }\n`);
    expect(warnings).toEqual([
      'r.yml:3: "parameters.t" is meant to be in [0, 1]: it is 1.5, for which it goes on along the circle, beyond the networks',
    ]);
    const [a, b] = [
      [8, 6],
      [9, 13],
    ] as const;
    const angle = Math.acos((a[0] * b[0] + a[1] * b[1]) / (Math.hypot(...a) * Math.hypot(...b)));
    const factors = [
      Math.sin(-0.5 * angle) / Math.sin(angle),
      Math.sin(1.5 * angle) / Math.sin(angle),
    ] as const;
    expect(data.at(-1)?.[0]).toBeCloseTo(factors[0] * a[0] + factors[1] * b[0], 5);
    expect(data.at(-1)?.[1]).toBeCloseTo(factors[0] * a[1] + factors[1] * b[1], 5);
  });

  test.each([
    ["keys", `merge_method: linear\nmodls: []\n${PAIR}`, 'did you mean "models"?'],
    ["parameters", `merge_method: linear\n${PAIR}parameters: { wieght: 1 }\n`, 'did you mean "weight"?'],
    [
      "filters",
      `merge_method: linear\n${PAIR}parameters: { weight: [{ filter: self_atn, value: 1 }] }\n`,
      'did you mean "self_attn"?',
    ],
  ])("still refuses %s that are near to known ones", async (_, text, message) => {
    await expect(mergeText(text)).rejects.toThrow(message);
  });
});
