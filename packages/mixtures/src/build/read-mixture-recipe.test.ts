import { describe, expect, it } from "vitest";
import { parseMixtureRecipe } from "./read-mixture-recipe.ts";

const EXPERTS = `experts:
  - source_model: a
    positive_prompts: [one]
  - source_model: { model: { path: b, revision: main }, lora: c }
    positive_prompts: [two]
`;

describe("parseMixtureRecipe", () => {
  it("reads what mergekit-moe reads, names of modes of gates among it", () => {
    for (const mode of [
      "hidden",
      "hidden_avg",
      "hidden_last",
      "cheap_embed",
      "random",
      "uniform_random",
      "uniform",
    ]) {
      const { recipe } = parseMixtureRecipe(
        `base_model: base\ngate_mode: ${mode}\ndtype: bfloat16\nexperts_per_token: 1\nshared_experts:\n${EXPERTS}`,
      );
      expect([recipe.gate_mode, recipe.experts.length, recipe.shared_experts]).toEqual([mode, 2, undefined]);
    }
  });

  it.each([
    ["experts: [{source_model: a, residual_scale: 1.0e+400}]", /must be a number: it is Infinity/],
    ["experts: []", /"experts" must be 1 to 512 models: there are 0/],
    [`experts: [${"{source_model: a}, ".repeat(600)}]`, /1 to 512 models: there are 600/],
    ["experts: many", /"experts" must be a list/],
    [`${EXPERTS}gate_mode: rigde`, /"gate_mode" must be one of hidden, /],
    [`${EXPERTS}experts_per_token: 3`, /"experts_per_token" must be at most 2, the number of experts/],
    [`${EXPERTS}experts_per_token: 0`, /must be a whole number of at least 1/],
    [`${EXPERTS}dtype: int4`, /"dtype" must be one of bfloat16/],
    [
      "experts: [{ source_model: a }, { source_model: b }]",
      /"experts\[0\]" must have positive_prompts.*\n.*"experts\[1\]"/,
    ],
    [EXPERTS.replace("two", "one"), /must not have the same prompts all/],
    [
      EXPERTS.replace("[one]", `["${"x".repeat(200_000)}"]`),
      /"experts\[0\].positive_prompts\[0\]" must have at most 131072/,
    ],
    [
      EXPERTS.replace("positive_prompts: [one]", "noise_scale: -1"),
      /"experts\[0\].noise_scale" must be a number of at least 0/,
    ],
    [EXPERTS.replace("source_model: a", "model: a"), /"experts\[0\].source_model" is missing/],
    [
      `shared_experts: [{source_model: a}, {source_model: b, positive_prompts: [x]}]\n${EXPERTS}`,
      /"shared_experts" must have positive_prompts each, or none/,
    ],
    [`x: ${"[".repeat(500)}`, /deeper than/],
    [`${EXPERTS}---\nbase_model: b\n`, /must be the only document/],
    [`${EXPERTS}experts: *x`, /YAML|Unresolved|unresolved/],
  ])("refuses recipe %#", (text, why) => {
    expect(() => parseMixtureRecipe(`base_model: base\n${text}`, "moe.yml")).toThrow(why);
  });

  it("warns of keys that have no effect, with their lines, and refuses them if asked", () => {
    const text = `base_model: base\n${EXPERTS}tokenizer: union`;
    const warnings: string[] = [];
    parseMixtureRecipe(text, "moe.yml", { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([expect.stringMatching(/^moe\.yml:7: "tokenizer" has no effect/)]);
    expect(() => parseMixtureRecipe(text, "moe.yml", { strict: true })).toThrow(/moe\.yml:7: "tokenizer"/);
  });
});
