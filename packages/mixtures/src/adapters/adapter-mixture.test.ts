import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, type Checkpoint, createRandom, createTensor, openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { extractSubgraph } from "@isthmus/graph";
import { applyAdapter, extractAdapter, openAdapter, saveAdapter, verifyMerge } from "@isthmus/merging";
import { networkOfConfig } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waves } from "../../../../test/helpers/waves.ts";
import { saveDense } from "../../test/dense-models.ts";
import { buildMixture, planMixtureRecipe } from "../build/build-mixture.ts";
import type { BuildMixtureOptions } from "../build/build-mixture-options.ts";
import { findHeadInput } from "../build/gates/head-input.ts";
import { parseMixtureRecipe } from "../build/read-mixture-recipe.ts";
import { openRecordedMixture } from "../build/verify-mixture.ts";
import { addFeatures } from "./random-features.ts";

interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  readonly ids: readonly number[];
  readonly router: Readonly<Record<string, readonly number[]>>;
  readonly settings: readonly string[];
  readonly scalings: readonly (readonly [number, number])[];
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../../test/golden/xlora.json.golden", import.meta.url), "utf8"),
);
const folder = mkdtempSync(join(tmpdir(), "isthmus-xlora-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const engine = createOnnxRuntimeEngine();
const LINEAR = ["*q_proj*", "*up_proj*"];

/** Saves the difference of two models as an adapter of a rank. */
async function saveLora(
  name: string,
  tuned: string,
  options: { include: string[]; rank: number },
  base = "base",
) {
  await using of = await openCheckpoint(path(tuned));
  await using from = await openCheckpoint(path(base));
  await saveAdapter(extractAdapter(of, from, options).adapter, path(name), { overwrite: true });
}

beforeAll(async () => {
  for (const [seed, name] of ["base", "a", "b"].entries()) await saveDense(path(name), { seed });
  await saveDense(path("wide"), { seed: 4, config: { hidden_size: 12 } });
  await saveDense(path("wider"), { seed: 5, config: { hidden_size: 12 } });
  await saveLora("lora-a", "a", { include: LINEAR, rank: 2 });
  await saveLora("lora-b", "b", { include: LINEAR, rank: 3 });
  await saveLora("lora-head", "a", { include: ["*lm_head*"], rank: 2 });
  await saveLora("lora-wide", "wider", { include: LINEAR, rank: 2 }, "wide");
  for (const [seed, letters] of ["abcdefgh", "efghijkl"].entries()) {
    const random = createRandom(seed);
    const text = Array.from({ length: 600 }, () => letters[random.integer(8)]).join("");
    writeFileSync(path(`${"ab"[seed]}.txt`), text);
  }
});

const recipeOf = (sources: readonly string[], lines = "gate_mode: ridge") =>
  parseMixtureRecipe(
    `base_model: ${path("base")}
architecture: xlora
${lines}
experts:
${sources.map((source, i) => `  - { source_model: "${source}", data: "text:${path("ab"[i % 2] ?? "")}.txt:train" }`).join("\n")}
`,
  );

const build = (
  name: string,
  read = recipeOf([path("lora-a"), path("lora-b")]),
  options: BuildMixtureOptions = {},
) => buildMixture(read, path(name), { overwrite: true, engine, ...options });

const settingsOf = (name: string) => JSON.parse(readFileSync(path(`${name}/adapter_config.json`), "utf8"));

async function sameTensors(a: Checkpoint, b: Checkpoint): Promise<void> {
  expect([...a.tensors.keys()].sort()).toEqual([...b.tensors.keys()].sort());
  for (const name of a.tensors.keys()) expect((await a.read(name)).data).toEqual((await b.read(name)).data);
}

describe("a mixture of adapters", () => {
  it("has the adapters as they are, of other ranks too, and a router with the names and settings of PEFT", async () => {
    const { layout, experts, output } = await build(
      "made",
      recipeOf([path("lora-a"), `${path("base")}+${path("lora-b")}`], "gate_mode: ridge\nrouter_size: 6"),
    );
    expect([layout, experts, output.files.length]).toEqual(["X-LoRA", 2, 3]);
    for (const [i, name] of ["lora-a", "lora-b"].entries()) {
      await using made = await openCheckpoint(path(`made/${i}/adapter_model.safetensors`));
      await using own = await openCheckpoint(path(`${name}/adapter_model.safetensors`));
      await sameTensors(made, own);
      expect(settingsOf(`made/${i}`)).toEqual(settingsOf(name));
    }
    await using router = await openCheckpoint(path("made/adapter_model.safetensors"));
    const shapes = [...router.tensors].map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual(golden.router);
    const settings = settingsOf("made");
    expect(Object.keys(settings).sort()).toEqual(golden.settings);
    expect(settings).toMatchObject({ xlora_depth: 2, xlora_size: 6, hidden_size: 8, top_k_lora: null });
    expect(settings.adapters).toEqual({ 0: path("made/0"), 1: path("made/1") });
  });

  it("computes the scalings of PEFT from the last hidden states of the base", async () => {
    const network = networkOfConfig(golden.config);
    const { graph: whole } = network.ofLength(golden.ids.length);
    const names = [...whole.weights].sort(([a], [b]) => (a < b ? -1 : 1));
    const feeds = new Map(
      names.map(([name, { shape }], i) => {
        const [, columns] = shape;
        const scale = columns === undefined ? 0.3 : Math.sqrt(2 / columns);
        return [name, waves(shape, i + 1, scale, columns === undefined ? 1 : 0)] as const;
      }),
    );
    const [weight, bias, last, shift] = Object.values(golden.router).map((shape, i) =>
      waves(shape, i + 1, 1),
    );
    if (weight === undefined || bias === undefined) throw new Error("a router of two layers");
    const { graph, features } = addFeatures(whole, findHeadInput(whole), { weight, bias });
    const part = extractSubgraph(graph, graph.inputs, [features]);
    feeds.set(
      at(part.inputs, 0, "input").name,
      createTensor("i64", [1, 8], BigInt64Array.from(golden.ids, BigInt)),
    );
    const session = await engine.load(part);
    const rows = (await session.run(feeds)).get(features)?.data ?? [];
    await session.release();
    for (const [token, wanted] of golden.scalings.entries()) {
      const scores = [0, 1].map((expert) =>
        [0, 1, 2, 3, 4, 5].reduce(
          (sum, i) => sum + Number(rows[6 * token + i]) * Number(last?.data[6 * expert + i]),
          Number(shift?.data[expert]),
        ),
      );
      const share = 1 / (1 + Math.exp(Number(scores[1]) - Number(scores[0])));
      expect(share).toBeCloseTo(wanted[0], 5);
    }
  });

  it("takes a fine-tune as the adapter that comes nearest to it, and says what stays as in the base", async () => {
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    await build("tuned", recipeOf([path("a"), path("lora-b")], "gate_mode: random\nrank: 8"), { onNote });
    expect(notes.join()).toMatch(/\/a" 1 changed tensors stay as in the base.*: lm_head.weight/);
    const adapter = await openAdapter(path("tuned/0"));
    await using base = await openCheckpoint(path("base"));
    await using tuned = await openCheckpoint(path("a"));
    const adapted = applyAdapter(base, adapter);
    for (const name of ["model.embed_tokens.weight", "model.layers.1.self_attn.o_proj.weight"]) {
      const [got, wanted] = [await adapted.read(name), await tuned.read(name)];
      for (const [i, value] of wanted.data.entries())
        expect(Number(got.data[i])).toBeCloseTo(Number(value), 4);
    }
    await adapter.close();
  });

  it.each([
    ["ridge", "rank: 2"],
    ["hidden", "rank: 2\nexperts_per_token: 1"],
  ] as const)("with gates by %s is made again bit for bit", async (mode, lines) => {
    const experts = [path("b"), path("lora-a")];
    const prompted = experts.map(
      (name, i) => `  - { source_model: "${name}", positive_prompts: [${"ab"[i]}] }`,
    );
    const read =
      mode === "ridge"
        ? recipeOf(experts, `gate_mode: ridge\n${lines}`)
        : parseMixtureRecipe(
            `base_model: ${path("base")}\narchitecture: x-lora\n${lines}\nexperts:\n${prompted.join("\n")}`,
          );
    const name = `again-${mode}`;
    await build(name, read);
    for (const file of ["", "0/", "1/"]) {
      const of = path(`${name}/${file}adapter_model.safetensors`);
      const { ok } = await verifyMerge(of, (made) => openRecordedMixture(of, made, { engine }));
      expect(ok).toBe(true);
    }
    if (mode === "hidden")
      expect(settingsOf(name)).toMatchObject({
        top_k_lora: 1,
        enable_softmax: false,
        enable_softmax_topk: true,
      });
    const { plan } = await planMixtureRecipe(read);
    expect([...plan.tensors.keys()].filter((tensor) => tensor.startsWith("1/"))).toHaveLength(8);
  });

  it.each([
    [["{wide}+{lora-wide}", "{lora-b}"], "", /must change the base .*base", alone/],
    [["{lora-wide}", "{lora-b}"], "", /is 12 x 12: the weight is \[12, 8\] \(recipe:5: "experts\[0\]/],
    [["{lora-a}", "{wide}"], "", /experts\[1\]/],
    [["{lora-head}", "{lora-b}"], "", /modules whose names begin with "model\.": it changes "lm_head"/],
    [["{base}", "{lora-b}"], "", /must differ from the base/],
    [
      ["{lora-a}", "{lora-b}"],
      "dense_layers: 1",
      /recipe:3: "dense_layers" must be left out, as X-LoRA has none/,
    ],
    [["{lora-a}", "{lora-b}"], "gate_mode: random\nrouter_size: 4", /ridge alone fits such routers/],
    [["{lora-a}", "{lora-b}"], "router_size: 99999\ngate_mode: ridge", /at most 16384: it is 99999/],
    [["{lora-a}", "{nothing}"], "", /no such file or folder \(recipe:6: "experts\[1\]/],
  ] as const)("of %j with '%s' is refused", async (sources, lines, why) => {
    const named = sources.map((source) => source.replaceAll(/\{([^}]*)\}/g, (_, name: string) => path(name)));
    const mode = lines.includes("gate_mode") ? [] : ["gate_mode: ridge"];
    const read = recipeOf(named, [...(lines === "" ? [] : [lines]), ...mode].join("\n"));
    await expect(build("refused", read)).rejects.toThrow(why);
  });

  it("is never written over the adapters that it is made of", async () => {
    await build("kept", recipeOf([path("lora-a"), path("lora-b")], "gate_mode: random"));
    const again = recipeOf([path("lora-b"), path("kept/0")], "gate_mode: random");
    await expect(build("kept", again)).rejects.toThrow(/kept\/0/);
    await expect(build("lora-a", recipeOf([path("lora-a")], "gate_mode: random"))).rejects.toThrow(/lora-a/);
    await using kept = await openCheckpoint(path("kept/0/adapter_model.safetensors"));
    await using own = await openCheckpoint(path("lora-a/adapter_model.safetensors"));
    await sameTensors(kept, own);
  });

  it("refuses an adapter that is cut, of another kind, or with biases", async () => {
    const spoil = async (name: string, change: Readonly<Record<string, unknown>>, cut = false) => {
      await saveLora(name, "a", { include: LINEAR, rank: 2 });
      const settings = { ...settingsOf(name), ...change };
      writeFileSync(path(`${name}/adapter_config.json`), JSON.stringify(settings));
      if (cut) truncateSync(path(`${name}/adapter_model.safetensors`), 600);
      return build("refused", recipeOf([path(name), path("lora-b")]));
    };
    await expect(spoil("cut", {}, true)).rejects.toThrow(/cut/);
    await expect(spoil("prefix", { peft_type: "PREFIX_TUNING" })).rejects.toThrow(/PREFIX_TUNING/);
    await expect(spoil("biased", { lora_bias: true })).rejects.toThrow(/must have no biases/);
  });
});
