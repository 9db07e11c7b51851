import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  type DType,
  InputError,
  MismatchError,
  type Tensor,
} from "@isthmus/core";
import { mergeByPlan } from "@isthmus/merging";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { METHODS } from "../../test/mergekit-methods.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import type { ModelReference } from "../recipe/recipe.ts";
import { explainPlan } from "./explain-plan.ts";
import { type PlanRecipeOptions, planRecipe } from "./plan-recipe.ts";
import { summarizePlan } from "./summarize-plan.ts";

const vector = (value: number, dtype: DType = "f32"): Tensor =>
  dtype === "bf16"
    ? createTensor("bf16", [2], Uint16Array.from([value, value], bf16))
    : createTensor("f32", [2], Float32Array.of(value, value));
const bf16 = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;

const LAYER = ["self_attn.q_proj.weight", "mlp.up_proj.weight"];
const names = (count: number) => [
  "model.embed_tokens.weight",
  ...Array.from({ length: count }, (_, i) => LAYER.map((rest) => `model.layers.${i}.${rest}`)).flat(),
  ...["model.norm.weight", "lm_head.weight"],
];
/** A network with layers, all of whose elements are one number. */
const network = (value: number, { count = 4, without = "", dtype = "f32" as DType } = {}): Checkpoint =>
  createCheckpoint(
    new Map(
      names(count)
        .filter((name) => name !== without)
        .map((name) => [name, vector(value, dtype)]),
    ),
    {},
    String(value),
  );

const NETWORKS: Readonly<Record<string, () => Checkpoint>> = {
  a: () => network(1),
  b: () => network(3),
  half: () => network(5, { dtype: "bf16" }),
  tied: () => network(7, { without: "lm_head.weight" }),
  short: () => network(9, { count: 2 }),
  plain: () => createCheckpoint({ "0.weight": vector(1), "3.weight": vector(2) }, {}, "plain"),
  tower: () =>
    createCheckpoint(
      new Map([...names(4), ...["visual.blocks.0.w", "visual.blocks.1.w"]].map((name) => [name, vector(2)])),
      {},
      "tower",
    ),
};
const open = async (reference: ModelReference) =>
  NETWORKS[String(reference)]?.() ?? expect.fail(`${reference}`);
const options: PlanRecipeOptions = { open, methods: METHODS };
const planOf = (text: string, more: Partial<PlanRecipeOptions> = {}) =>
  planRecipe(parseRecipe(text, "r.yml"), { ...options, ...more });
const elementOf = async (merged: Checkpoint, name: string) => Number((await merged.read(name)).data[0]);

const PAIR = "models: [{ model: a }, { model: b }]\n";

describe("planRecipe()", () => {
  test("takes the widest type of the inputs, else out_dtype, else dtype", async () => {
    const models = "merge_method: linear\nmodels: [{ model: a }, { model: half }]\n";
    const dtypeOf = async (text: string) =>
      (await planOf(models + text)).tensors.get("lm_head.weight")?.info.dtype;
    expect(await dtypeOf("")).toBe("f32");
    expect(await dtypeOf("dtype: float16")).toBe("f16");
    expect(await dtypeOf("dtype: float16\nout_dtype: bfloat16")).toBe("bf16");
    const merged = mergeByPlan(await planOf(`${models}dtype: bfloat16`));
    expect((await merged.read("lm_head.weight")).data[0]).toBe(bf16(3));
  });

  test("copies what no filter names, in a strict recipe", async () => {
    const weight = "parameters: { weight: [{ filter: mlp, value: 1 }] }";
    const text = `merge_method: linear\nstrict: true\nbase_model: a\nmodels:\n  - { model: a, ${weight} }\n  - { model: b, ${weight} }\n`;
    const plan = await planOf(text);
    const merged = mergeByPlan(plan);
    expect(await elementOf(merged, "model.layers.2.mlp.up_proj.weight")).toBe(2);
    expect(await elementOf(merged, "model.layers.2.self_attn.q_proj.weight")).toBe(1);
    expect(summarizePlan(plan)).toMatchObject({ merged: 4, copied: 7 });
  });

  test("merges recipes inside recipes, and recipes in files, without writing them", async () => {
    const inside = `{ merge_method: linear, ${PAIR.trim()} }`;
    const merged = mergeByPlan(
      await planOf(`merge_method: linear\nmodels:\n  - model: ${inside}\n  - model: half\n`),
    );
    expect(await elementOf(merged, "model.norm.weight")).toBe(3.5);
  });

  test("takes the embedding for a missing output layer that is tied to it, and says so", async () => {
    const plan = await planOf("merge_method: linear\nmodels: [{ model: a }, { model: tied }]");
    expect(plan.tensors.get("lm_head.weight")?.sources[1]?.tensor).toBe("model.embed_tokens.weight");
    expect(plan.tensors.get("lm_head.weight")?.reason).toContain(
      '"7" ties it to "model.embed_tokens.weight"',
    );
  });

  test("stops at tensors that not all networks have, or copies them if the recipe says so", async () => {
    const text = "merge_method: linear\nmodels: [{ model: a }, { model: short }]\n";
    await expect(planOf(text)).rejects.toThrow(MismatchError);
    await expect(planOf(text)).rejects.toThrow('"model.layers.2.self_attn.q_proj.weight" is missing in "9"');
    const plan = await planOf(`${text}missing: copy`);
    expect(plan.tensors.get("model.layers.3.mlp.up_proj.weight")).toMatchObject({
      ...{ method: undefined, sources: [{ network: 0 }], reason: "copied: not all networks have it" },
    });
  });

  test("merges parts that modules name, and copies the others", async () => {
    const text =
      "merge_method: linear\nmodules:\n  vision_tower:\n    models: [{ model: tower }]\n    parameters: { weight: 2 }\n";
    const plan = await planOf(text);
    expect(plan.tensors.get("visual.blocks.1.w")?.parameters).toEqual(
      expect.objectContaining({ weight: [2] }),
    );
    expect(plan.tensors.get("lm_head.weight")?.reason).toBe("copied: no module of the recipe has it");
    await expect(planOf(text.replace("vision_tower", "visul"))).rejects.toThrow(
      'r.yml:3: "modules.visul" is no part of the network; did you mean "visual"?',
    );
  });

  test("aligns inputs to the base by the function that it is given", async () => {
    const text = "merge_method: linear\nmodels: [{ model: a }, { model: b, align: { restarts: 3 } }]\n";
    const align: PlanRecipeOptions["align"] = async (inputs, target, setting) => {
      expect([inputs[0]?.reference, target.reference, setting]).toEqual(["b", "a", { restarts: 3 }]);
      return [network(101)];
    };
    expect(await elementOf(mergeByPlan(await planOf(text, { align })), "lm_head.weight")).toBe(51);
    await expect(planOf(text)).rejects.toThrow('without "align"');
    await expect(
      planOf("merge_method: linear\nmodels: [{ model: a, align: true }]", { align }),
    ).rejects.toThrow("one of them must stay as it is");
  });

  test("says where the recipe names the network that could not be aligned with the others", async () => {
    const many = "align: { many: cycle }";
    const text = `merge_method: linear\nmodels:\n  - model: a\n  - { model: b, ${many} }\n  - { model: half, ${many} }\n`;
    const failing = (error: Error): Pick<PlanRecipeOptions, "align"> => ({
      align: () => Promise.reject(error),
    });
    const { source } = network(5);
    const notFinite = new InputError("Cannot match as weights must be finite", { input: source });
    await expect(planOf(text, failing(notFinite))).rejects.toThrow('finite (r.yml:5: "models[2]")');
    const unlike = new MismatchError("Cannot feed", { parameters: ["w"], input: source });
    await expect(planOf(text, failing(unlike))).rejects.toMatchObject({
      message: 'Cannot feed (r.yml:5: "models[2]")',
      parameters: ["w"],
    });
    const ofNone = new InputError("Cannot open a model without a graph", { input: "graph" });
    await expect(planOf(text, failing(ofNone))).rejects.toThrow('graph (r.yml:4: "models[1]")');
  });

  test.each([
    [
      "{ model: b, align: { many: tree } }, { model: half, align: { many: cycle } }",
      'models[2].align" must be the same for all, as networks are aligned together where one has many: another has {"many":"tree"}',
    ],
    ["{ model: b, align: universe }, { model: half, align: true }", 'models[2].align" must be the same'],
    ["{ model: b }, { model: half, align: universe }", 'models[1]" has no "align", as networks are aligned'],
    ["{ model: b, align: false }, { model: half, align: universe }", undefined],
    ["{ model: b, align: universe }, { model: half, align: { many: best } }", undefined],
    ["{ model: b }, { model: half, align: true }", undefined],
  ])("aligns all together or each by itself: %s", async (others, message) => {
    const text = `merge_method: linear\nmodels: [{ model: a }, ${others}]\n`;
    const align: PlanRecipeOptions["align"] = async (inputs) => inputs.map((input) => input.network);
    const planned = planOf(text, { align });
    if (message === undefined) await expect(planned).resolves.toBeDefined();
    else await expect(planned).rejects.toThrow(message);
  });

  test("leaves beside a base what was made from it as it is", async () => {
    const text =
      "merge_method: task_arithmetic\nbase_model: a\nmodels: [{ model: b }, { model: half, align: universe }]\nparameters: { weight: 1 }\n";
    const align: PlanRecipeOptions["align"] = async (inputs) => inputs.map((input) => input.network);
    await expect(planOf(text, { align })).resolves.toBeDefined();
  });

  test("explains where values are from", async () => {
    const text = `merge_method: slerp\n${PAIR}parameters:\n  t:\n    - filter: mlp\n      value: [0, 1]\n    - value: 0.5\n`;
    const [tensor] = explainPlan(await planOf(text), "layers.3.mlp");
    expect(tensor).toMatchObject({
      tensor: "model.layers.3.mlp.up_proj.weight",
      sources: [{ network: "1" }, { network: "3" }],
      reason: 'slerp, t 1 (r.yml:5: parameters.t[0], filter "mlp", 100 % along the layers)',
    });
    const plan = await planOf(text);
    expect(() => explainPlan(plan, "nothing")).toThrow("it matches none of 11");
  });

  test("counts tensors that no slice takes as absent", async () => {
    const slice = "slices: [{ sources: [{ model: a, layer_range: [1, 3] }] }]";
    const { merged, absent } = summarizePlan(await planOf(`merge_method: linear\n${slice}`));
    expect(merged).toBe(7);
    expect(absent.map(({ tensor }) => tensor)).toEqual(
      [0, 3].flatMap((i) => LAYER.map((rest) => `model.layers.${i}.${rest}`)),
    );
  });

  test.each([
    [
      "an unknown method",
      `merge_method: slrp\n${PAIR}`,
      'r.yml:1: "merge_method" is "slrp"; did you mean "slerp"?',
    ],
    [
      "a missing base",
      `merge_method: ties\n${PAIR}parameters: { weight: 1 }`,
      '"base_model" is missing: ties compares networks',
    ],
    [
      "a base without effect",
      `merge_method: linear\n${PAIR}base_model: half`,
      'r.yml:3: "base_model" has no effect on linear',
    ],
    [
      "too many networks",
      "merge_method: slerp\nmodels: [{ model: a }, { model: b }, { model: half }]",
      '"models" must have 2 networks for slerp: it has 3',
    ],
    [
      "a misspelt parameter",
      `merge_method: linear\n${PAIR}parameters: { wieght: 1 }`,
      'r.yml:3: "parameters.wieght" is no parameter of linear; did you mean "weight"?',
    ],
    [
      "a parameter of another method",
      `merge_method: linear\n${PAIR}parameters: { t: 1 }`,
      '"parameters.t" has no effect as it is no parameter of linear: it has weight',
    ],
    [
      "a parameter of the merge at a network",
      "merge_method: slerp\nmodels: [{ model: a, parameters: { t: 1 } }, { model: b }]",
      'has no effect here as slerp has one "t" for all networks',
    ],
    [
      "a parameter of the base",
      "merge_method: ties\nbase_model: a\nmodels: [{ model: a, parameters: { weight: 1 } }, { model: b, parameters: { weight: 1 } }]",
      '"models[0].parameters.weight" has no effect as ties gives the base no "weight"',
    ],
    [
      "a missing parameter of the merge",
      `merge_method: slerp\n${PAIR}`,
      'r.yml:1: "merge_method" needs "t" for "model.embed_tokens.weight", and slerp has no default: write it under the parameters of the recipe',
    ],
    [
      "a missing parameter of a slice",
      "merge_method: slerp\nslices:\n  - sources: [{ model: a, layer_range: [0, 2] }, { model: b, layer_range: [0, 2] }]\n",
      'r.yml:3: "slices[0]" needs "t" for',
    ],
    [
      "values that do not go together",
      `merge_method: della\nbase_model: half\n${PAIR}parameters:\n  weight: 1\n  density: 0.5\n  epsilon: 0.6\n`,
      'r.yml:7: "parameters.epsilon" must leave density - epsilon and density + epsilon between 0 and 1: density is 0.5 and epsilon 0.6 for "model.embed',
    ],
    [
      "a default that does not go with a value",
      `merge_method: della\nbase_model: half\n${PAIR}parameters: { weight: 1, density: 0.1 }\n`,
      'r.yml:1: "merge_method" needs another "epsilon", which must leave density - epsilon and density + epsilon',
    ],
    [
      "a missing parameter",
      `merge_method: ties\nbase_model: half\n${PAIR}`,
      'r.yml:3: "models[0]" has no "weight" for "model.embed_tokens.weight", and ties has no default',
    ],
    [
      "a value out of range",
      `merge_method: nearswap\nbase_model: a\n${PAIR}parameters: { t: [0, -2] }`,
      '"parameters.t" must be a number in [0, Infinity]: it is -2',
    ],
    [
      "a value beyond the usual",
      `merge_method: slerp\n${PAIR}parameters: { t: [0, 2] }`,
      '"parameters.t" is meant to be in [0, 1]: it is 2, for which it goes on along the circle',
    ],
    [
      "a filter that matches nothing",
      `merge_method: linear\n${PAIR}parameters:\n  weight:\n    - { filter: slf_attn, value: 1 }\n`,
      'r.yml:5: "parameters.weight[0].filter" "slf_attn" matches none of 11 tensors; did you mean "self_attn"?',
    ],
    [
      "a broken expression",
      `merge_method: linear\n${PAIR}parameters: { weight: { filter: /(/, value: 1 } }`,
      'must have an expression between its slashes: Cannot match by the regular expression "(": missing closing )',
    ],
    [
      "an expression whose time has no bound",
      `merge_method: linear\n${PAIR}parameters: { weight: { filter: /(?!mlp)/, value: 1 } }`,
      "it must do without look-around",
    ],
    [
      "a gradient that is too long",
      `merge_method: linear\n${PAIR}parameters: { weight: [1, 2, 3, 4, 5] }`,
      "has 5 values along at most 4 layers",
    ],
    [
      "a range beyond the layers",
      "merge_method: linear\nslices: [{ sources: [{ model: a, layer_range: [2, 6] }] }]",
      '"slices[0].sources[0].layer_range" must lie in [0, 4], the layers "model.layers." of "1": it is [2, 6]',
    ],
    [
      "an empty range",
      "merge_method: linear\nslices: [{ sources: [{ model: a, layer_range: [2, 2] }] }]",
      "must begin before it ends: it is [2, 2]",
    ],
    [
      "ranges of other lengths",
      "merge_method: linear\nslices: [{ sources: [{ model: a, layer_range: [0, 2] }, { model: b, layer_range: [0, 3] }] }]",
      "must have as many layers as the other sources of its slice: it has 2, and another 3",
    ],
    [
      "slices of a network without layers",
      "merge_method: linear\nslices: [{ sources: [{ model: plain, layer_range: [0, 1] }] }]",
      'needs numbered layers: the names of "plain" have none; use models, not slices',
    ],
    [
      "a number that is searched",
      `merge_method: linear\n${PAIR}parameters: { weight: { search: [0, 1] } }`,
      '"parameters.weight" is to be searched: run isthmus search, or write a number',
    ],
    [
      "strictness without filters",
      `merge_method: linear\n${PAIR}strict: true`,
      '"strict" copies what no filter names, and there is no filter',
    ],
  ])("names %s", async (_, text, message) => {
    await expect(planOf(text, { strict: true })).rejects.toThrow(message);
  });

  test("merges a base that is listed alone with itself, as recipes do that apply an adapter to it", async () => {
    const plan = await planOf(
      "merge_method: task_arithmetic\nbase_model: a\nmodels: [{ model: a, parameters: { weight: 1 } }]",
    );
    expect([...plan.tensors.values()].every(({ sources }) => sources.length === 1)).toBe(true);
  });

  test("says what to do about vocabularies that differ", async () => {
    const wide = createCheckpoint(
      new Map(
        names(4).map((name) => [
          name,
          name.includes("embed") ? createTensor("f32", [3], new Float32Array(3)) : vector(1),
        ]),
      ),
    );
    const opened = {
      open: async (reference: ModelReference) => (reference === "b" ? wide : open(reference)),
    };
    await expect(planOf(`merge_method: linear\n${PAIR}`, opened)).rejects.toThrow(
      /"model.embed_tokens.weight" is \[2\] in "1" and \[3\] .*vocabularies differ: say tokenizer_source/,
    );
  });
});

describe("recipes in files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-recipe-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("are inputs of other recipes, but not of themselves", async () => {
    const [inner, ring] = [join(folder, "inner.yml"), join(folder, "ring.yaml")];
    writeFileSync(inner, `merge_method: linear\n${PAIR}`);
    writeFileSync(ring, `merge_method: linear\nmodels: [{ model: ${ring} }]`);
    const merged = mergeByPlan(
      await planOf(`merge_method: linear\nmodels: [{ model: ${inner} }, { model: half }]`),
    );
    expect(await elementOf(merged, "model.norm.weight")).toBe(3.5);
    await expect(planOf(`merge_method: linear\nmodels: [{ model: ${ring} }]`)).rejects.toThrow(
      "must not need itself",
    );
  });
});
