import { createCheckpoint, createTensor } from "@isthmus/core";
import type { MergePlan } from "@isthmus/merging";
import { describe, expect, test } from "vitest";
import { METHODS } from "../../test/mergekit-methods.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import { planRecipe } from "./plan-recipe.ts";

const tensor = createTensor("f32", [1], Float32Array.of(0));
const layers = (prefix: string, rests: readonly (readonly string[])[]) =>
  rests.flatMap((names, i) => names.map((rest) => `${prefix}${i}.${rest}`));
const planOf = (text: string, models: Readonly<Record<string, readonly string[]>>): Promise<MergePlan> =>
  planRecipe(parseRecipe(text, "r.yml"), {
    methods: METHODS,
    open: async (name) =>
      createCheckpoint(new Map(models[String(name)]?.map((key) => [key, tensor])), {}, String(name)),
  });
/** Where each tensor of the result is from: `name <- network:tensor`. */
const sourcesOf = ({ tensors, networks }: MergePlan) =>
  [...tensors].map(([name, { sources }]) => {
    const from = sources.map(({ network, tensor: source }) => `${networks[network]?.source}:${source}`);
    return `${name} <- ${from.join(" + ")}`;
  });
const stack = (...slices: readonly string[]) =>
  `merge_method: passthrough\nslices:\n${slices.map((source) => `  - sources: [${source}]\n`).join("")}`;

describe("slices", () => {
  test("stack mixtures of experts: experts keep their numbers, layers get new ones", async () => {
    const experts = ["experts.0.w1.weight", "experts.1.w1.weight", "gate.weight"];
    const names = [
      "model.embed_tokens.weight",
      ...layers("model.layers.", [experts, experts]),
      "lm_head.weight",
    ];
    const plan = await planOf(
      stack("{ model: a, layer_range: [0, 2] }", "{ model: b, layer_range: [1, 2] }"),
      {
        ...{ a: names, b: names },
      },
    );
    expect(sourcesOf(plan)).toEqual([
      "model.embed_tokens.weight <- a:model.embed_tokens.weight",
      ...[0, 1].flatMap((i) =>
        experts.map((rest) => `model.layers.${i}.${rest} <- a:model.layers.${i}.${rest}`),
      ),
      ...experts.map((rest) => `model.layers.2.${rest} <- b:model.layers.1.${rest}`),
      "lm_head.weight <- b:lm_head.weight",
    ]);
  });

  test("stack hybrids, whose layers have tensors of their own kinds", async () => {
    const names = layers("backbone.layers.", [["mixer.A_log"], ["attention.q.weight"], ["mixer.A_log"]]);
    const plan = await planOf(
      stack("{ model: a, layer_range: [1, 3] }", "{ model: a, layer_range: [0, 1] }"),
      {
        a: names,
      },
    );
    expect(sourcesOf(plan)).toEqual([
      "backbone.layers.0.attention.q.weight <- a:backbone.layers.1.attention.q.weight",
      "backbone.layers.1.mixer.A_log <- a:backbone.layers.2.mixer.A_log",
      "backbone.layers.2.mixer.A_log <- a:backbone.layers.0.mixer.A_log",
    ]);
  });

  test("stack the main part of a network with a tower, and leave the tower whole", async () => {
    const tower = layers("visual.blocks.", [["w"], ["w"], ["w"]]);
    const names = [...tower, ...layers("model.layers.", [["w"], ["w"]]), "model.norm.weight"];
    const plan = await planOf(
      stack("{ model: a, layer_range: [0, 2] }", "{ model: a, layer_range: [0, 1] }"),
      {
        a: names,
      },
    );
    expect(sourcesOf(plan)).toEqual([
      ...tower.map((name) => `${name} <- a:${name}`),
      ...[0, 1, 0].map((from, i) => `model.layers.${i}.w <- a:model.layers.${from}.w`),
      "model.norm.weight <- a:model.norm.weight",
    ]);
  });

  test("take layers of networks whose names begin otherwise", async () => {
    const [a, b] = [
      layers("model.layers.", [["w"], ["w"]]),
      layers("language_model.model.layers.", [["w"], ["w"]]),
    ];
    const source = "{ model: a, layer_range: [0, 2] }, { model: b, layer_range: [0, 2] }";
    const plan = await planOf(stack(source).replace("passthrough", "linear"), { a, b });
    expect(sourcesOf(plan)).toEqual(
      [0, 1].map(
        (i) => `model.layers.${i}.w <- a:model.layers.${i}.w + b:language_model.model.layers.${i}.w`,
      ),
    );
  });

  test("are of texts in a network that sees and guesses ahead, whose other parts are those of the first", async () => {
    const names = [
      "model.language_model.embed_tokens.weight",
      ...layers("model.language_model.layers.", [["w"], ["w"], ["w"]]),
      ...layers("model.visual.blocks.", [["w"], ["w"]]),
      ...["model.visual.patch_embed.w", "model.visual.merger.w", "mtp.layers.0.w", "lm_head.weight"],
    ];
    const plan = await planOf(
      stack("{ model: a, layer_range: [0, 1] }", "{ model: b, layer_range: [2, 3] }"),
      { ...{ a: names, b: names } },
    );
    const fromFirst = (name: string) => `${name} <- a:${name}`;
    expect(sourcesOf(plan)).toEqual([
      fromFirst("model.language_model.embed_tokens.weight"),
      fromFirst("model.language_model.layers.0.w"),
      "model.language_model.layers.1.w <- b:model.language_model.layers.2.w",
      ...names.slice(4, -1).map(fromFirst),
      "lm_head.weight <- b:lm_head.weight",
    ]);
  });

  test("are refused if names do not tell which part they are of, with the key that does", async () => {
    const names = [
      ...layers("model.encoder.layers.", [["w"], ["w"]]),
      ...layers("model.decoder.layers.", [["w"], ["w"]]),
    ];
    await expect(planOf(stack("{ model: a, layer_range: [0, 1] }"), { a: names })).rejects.toThrow(
      'r.yml:3: "slices[0].sources[0].layer_range" must be of the layers of one part: "a" has "encoder" and "decoder"; write the slices of each under its name, as "modules: { encoder: { slices: ... } }"',
    );
    const towers = ["vision_model.transformer.layers.", "vision_model.global_transformer.layers."];
    const mllama = [
      ...layers("language_model.model.layers.", [["w"], ["w"]]),
      ...towers.flatMap((prefix) => layers(prefix, [["w"], ["w"]])),
    ];
    const slices = "slices: [{ sources: [{ model: a, layer_range: [0, 1] }] }]";
    const recipe = `merge_method: passthrough\nmodules:\n  vision_model:\n    ${slices}\n`;
    await expect(planOf(recipe, { a: mllama })).rejects.toThrow(
      'has 2 in "vision_model.transformer.layers." and 2 in "vision_model.global_transformer.layers." in its part "vision_model"; merge that part whole, by models',
    );
  });

  test("of a module stack its part only", async () => {
    const names = [
      ...layers("encoder.block.", [["w"], ["w"]]),
      ...layers("decoder.block.", [["w"], ["w"], ["w"]]),
    ];
    const slices = "slices: [{ sources: [{ model: a, layer_range: [1, 2] }] }]";
    const plan = await planOf(`merge_method: passthrough\nmodules:\n  encoder:\n    ${slices}\n`, {
      a: names,
    });
    expect(sourcesOf(plan)).toEqual([
      "encoder.block.0.w <- a:encoder.block.1.w",
      ...[0, 1, 2].map((i) => `decoder.block.${i}.w <- a:decoder.block.${i}.w`),
    ]);
  });
});
