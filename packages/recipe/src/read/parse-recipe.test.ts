import { FormatError, InputError } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { parseRecipe } from "./parse-recipe.ts";

const MODELS = "models:\n  - model: a\n  - model: b\n";

function messageOf(text: string): string {
  try {
    parseRecipe(text, "r.yml");
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  return "no error";
}

describe("parseRecipe()", () => {
  test("reads YAML as mergekit does: 1.1, with anchors, and keys without a value left out", () => {
    const text = `merge_method: ties
base_model:
models:
  - &first
    model: a
    parameters: { weight: 1e-1, normalize: yes }
  - <<: *first
    model: b
`;
    const parameters = { weight: 0.1, normalize: true };
    expect(parseRecipe(text)).toEqual({
      merge_method: "ties",
      models: [
        { model: "a", parameters },
        { model: "b", parameters },
      ],
    });
  });

  test("reads texts of several lines, and several merged keys of which the nearest counts", () => {
    const text = `merge_method: &m
  linear
models:
  - &a { model: a, parameters: { weight: 1 } }
  - <<: [{ align: true }, *a]
    model: >-
      b
chat_template: |
  {{ messages }}
  end
`;
    expect(parseRecipe(text)).toEqual({
      merge_method: "linear",
      models: [
        { model: "a", parameters: { weight: 1 } },
        { model: "b", parameters: { weight: 1 }, align: true },
      ],
      chat_template: "{{ messages }}\nend\n",
    });
  });

  test("keeps keys that recipes do not have, unlike any that they have", () => {
    expect(parseRecipe(`merge_method: linear\n${MODELS}embed_slerp: true\n`)).toMatchObject({
      embed_slerp: true,
    });
  });

  test("reads recipes inside recipes", () => {
    const inside = "{ merge_method: linear, models: [{ model: a }] }";
    const recipe = parseRecipe(`merge_method: linear\nmodels:\n  - model: ${inside}\n`);
    expect(recipe.models?.[0]?.model).toEqual({ merge_method: "linear", models: [{ model: "a" }] });
  });

  test.each([
    [
      "a misspelt key",
      `merge_metod: linear\n${MODELS}`,
      'r.yml:1: "merge_metod" is no key here; did you mean "merge_method"?',
    ],
    ["a missing key", MODELS, 'r.yml:1: "merge_method" is missing'],
    [
      "a misspelt key deep inside",
      "merge_method: linear\nslices:\n  - sources:\n      - model: a\n        layer_rnge: [0, 2]\n",
      'r.yml:5: "slices[0].sources[0].layer_rnge" is no key here; did you mean "layer_range"?',
    ],
    [
      "a wrong type",
      `merge_method: linear\nstrict: maybe\n${MODELS}`,
      'r.yml:2: "strict" must be true or false: it is "maybe"',
    ],
    [
      "a wrong range",
      "merge_method: linear\nslices: [{ sources: [{ model: a, layer_range: [0, -2] }] }]",
      '"slices[0].sources[0].layer_range[1]" must be a whole number of at least 0: it is -2',
    ],
    [
      "an unknown type of elements",
      `merge_method: linear\n${MODELS}dtype: bfloat\n`,
      'r.yml:5: "dtype" must be one of bfloat16, float16, float32, float64, float8_e4m3fn, float8_e5m2, bf16, f16, f32, f64: it is "bfloat"; did you mean "bfloat16"?',
    ],
    [
      "two kinds of parts",
      `merge_method: linear\n${MODELS}slices: []\n`,
      'r.yml:5: "slices" must not stand beside "models": write only one of "models" or "slices" or "modules"',
    ],
    [
      "no parts",
      "merge_method: linear\n",
      '"the recipe" must have networks: write "models" or "slices" or "modules"',
    ],
    [
      "a mixture",
      "base_model: a\nexperts: [{ source_model: b }]\n",
      'r.yml:2: "experts" belong to a mixture of experts: make it by isthmus moe',
    ],
    ["no networks", "merge_method: linear\nmodels: []\n", '"models" must not be empty'],
    [
      "a slice of nothing",
      "merge_method: linear\nslices:\n  - sources: []\n",
      'r.yml:3: "slices[0].sources" must not be empty',
    ],
    [
      "a parameter without a value",
      `merge_method: linear\n${MODELS}parameters:\n  weight:\n`,
      'r.yml:6: "parameters.weight" must be a value, a list of values along the layers, or a list of filters or blocks with values: it is empty',
    ],
    [
      "a filter without a value",
      `merge_method: linear\n${MODELS}parameters:\n  weight:\n    - filter: mlp\n`,
      '"parameters.weight[0].value" is missing',
    ],
    [
      "a misspelt range",
      `merge_method: linear\n${MODELS}parameters:\n  lambda: { serch: [0.1, 1] }\n`,
      '"parameters.lambda.serch" is no key here; did you mean "search"?',
    ],
    [
      "a misspelt choice of values",
      `merge_method: linear\n${MODELS}parameters:\n  lambda: { chose: [0.1, 1] }\n`,
      '"parameters.lambda.chose" is no key here; did you mean "choose"?',
    ],
    [
      "a misspelt choice of methods",
      `merge_method: { chose: [linear, slerp] }\n${MODELS}`,
      '"merge_method.chose" is no key here; did you mean "choose"?',
    ],
    ["a method that is no text", `merge_method: 3\n${MODELS}`, '"merge_method" must be a text: it is 3'],
    [
      "two tokenizers",
      `merge_method: linear\n${MODELS}tokenizer_source: union\ntokenizer: {}\n`,
      '"tokenizer_source" must not stand beside "tokenizer"',
    ],
    [
      "a misspelt kind of token",
      `merge_method: linear\n${MODELS}tokenizer:\n  tokens:\n    <s>: { source: { kind: zeroo } }\n`,
      'must be one of zero: it is "zeroo"; did you mean "zero"?',
    ],
    ["something else", "- 1\n- 2\n", "must be keys with values: it is [1,2]"],
    [
      "mistakes in a recipe inside",
      "merge_method: linear\nmodels:\n  - model:\n      merge_method: linear\n      modls: []\n",
      'r.yml:5: "models[0].model.modls" is no key here; did you mean "models"?',
    ],
  ])("names %s, its line and what is meant", (_, text, message) => {
    expect(messageOf(text)).toContain(message);
  });

  test("lists every problem in one message", () => {
    const message = messageOf("merge_method: linear\nmodels:\n  - modl: a\n  - model: b\n    algn: 1\n");
    expect(message.split("\n  ")).toEqual([
      'Cannot read the recipe as its form must be right: r.yml:3: "models[0].model" is missing',
      'r.yml:3: "models[0].modl" is no key here; did you mean "model"?',
      'r.yml:5: "models[1].algn" is no key here; did you mean "align"?',
    ]);
  });

  test.each([
    ["merge_method: [", /r\.yml:1: Flow sequence/],
    ["merge_method: linear\nmerge_method: slerp\n", /r\.yml:2: Map keys must be unique/],
    [
      "merge_method: linear\nmodels: &m [{ model: a }, { model: { merge_method: linear, models: *m } }]",
      /r\.yml:2: "models" is an alias of what it stands in, so that it would never end/,
    ],
    ["a: &a [*a, *a]", /r\.yml:1: "0" is an alias of what it stands in/],
    [
      ["1", "*x0", "*x1"].map((x, i) => `x${i}: &x${i} ${"[".repeat(50)}${x}${"]".repeat(50)}`).join("\n"),
      /r\.yml:\d+: it is nested deeper than 128 levels by its aliases/,
    ],
    ["a: *nothing\n", /r\.yml: Unresolved alias/],
    [`merge_method: linear\n${MODELS}strict: !reference [a]\n`, /r\.yml:5: Unresolved tag: !reference/],
    [`a: ${"[".repeat(400)}`, /nested deeper than 128 levels/],
  ])("refuses what is no YAML", (text, message) => {
    expect(() => parseRecipe(text, "r.yml")).toThrow(FormatError);
    expect(() => parseRecipe(text, "r.yml")).toThrow(message);
  });
});
