import { at, createCheckpoint, createRandom, createTensor, type Tensor } from "@isthmus/core";
import { createTokenDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, randomWeights } from "@isthmus/graph";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { runGraph } from "../../../test/helpers/run-graph.ts";
import { discoverRouters } from "../src/routers/discover-routers.ts";
import { fitRouters } from "../src/routers/fit-routers.ts";
import { forceExpert } from "../src/routers/force-expert.ts";
import { measureRouting } from "../src/routers/measure-routing.ts";

const EXPERTS = 3;
const CONFIG = {
  model_type: "mixtral",
  architectures: ["MixtralForCausalLM"],
  vocab_size: 30,
  hidden_size: 8,
  intermediate_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  num_local_experts: EXPERTS,
  num_experts_per_tok: 2,
  max_position_embeddings: 8,
};
const engine = createOnnxRuntimeEngine();
const { graph } = networkOfConfig(CONFIG);
const weights = withTopics(randomWeights(graph, 1));
const mixture = createCheckpoint(weights);
const routers = await discoverRouters({ graph, engine });

/** Gives the words of each text a direction of their own, as networks learn them. */
function withTopics(random: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const name = "model.embed_tokens.weight";
  const { shape, data } = random.get(name)!;
  const width = at(shape, 1, "axis");
  const words = Float32Array.from(data, Number);
  for (let word = 0; word < words.length / width; word++) words[word * width + Math.floor(word / 10)]! += 4;
  return new Map(random).set(name, createTensor("f32", shape, words));
}

/** Text whose tokens are among ten that no other expert's text has, but for every fourth. */
function textOf(expert: number, tokens = 300): DataSet {
  const random = createRandom(expert, "text");
  const ids = Uint16Array.from({ length: tokens }, () =>
    random.integer(4) === 0 ? random.integer(30) : 10 * expert + random.integer(10),
  );
  return createTokenDataSet(ids, { context: 8, vocabularySize: 30, name: `text ${expert}` });
}

const texts = [0, 1, 2].map((expert) => textOf(expert));
const { inputs } = at(texts, 0, "text").read(0, 4);

describe("forceExpert()", () => {
  test("makes the dense network of an expert of the graph, whatever the routers", async () => {
    const llama = networkOfConfig({ ...CONFIG, model_type: "llama", architectures: ["LlamaForCausalLM"] });
    for (let expert = 0; expert < EXPERTS; expert++) {
      const dense = new Map(
        [...llama.graph.weights.keys()].map((name): [string, Tensor] => {
          const stored = name
            .replace(".mlp.gate_proj.", `.block_sparse_moe.experts.${expert}.w1.`)
            .replace(".mlp.up_proj.", `.block_sparse_moe.experts.${expert}.w3.`)
            .replace(".mlp.down_proj.", `.block_sparse_moe.experts.${expert}.w2.`);
          return [name, weights.get(stored)!];
        }),
      );
      const [input] = graph.inputs;
      const feeds = (own: ReadonlyMap<string, Tensor>) => new Map(own).set(input!.name, inputs);
      const forced = await runGraph(forceExpert(graph, routers, expert), feeds(weights), { threads: 1 });
      const alone = await runGraph(llama.graph, feeds(dense), { threads: 1 });
      const [got, wanted] = [forced.get("logits")!.data, alone.get("logits")!.data];
      for (const [i, value] of got.entries()) expect(value).toBeCloseTo(Number(wanted[i]), 5);
    }
  });
});

describe("fitRouters()", () => {
  test.each(["experts", "mixture"] as const)(
    "tells texts of other words apart, through the %s",
    async (through) => {
      const done: number[] = [];
      const fit = await fitRouters({ graph, engine }, mixture, texts, {
        through,
        threads: 1,
        refine: 5,
        onProgress: (progress) => done.push(progress.done),
      });
      expect(fit.routers.map(({ weight }) => weight)).toEqual(routers.map(({ weight }) => weight));
      // Three of four tokens, and a third of the others, show their text.
      for (const { accuracy } of fit.routers) expect(accuracy).toBeGreaterThan(0.7);
      expect(done).toEqual([...done].sort((a, b) => a - b));
      expect(done.at(-1)).toBe(1);
      const others = [...weights.keys()].filter((name) => routers.every(({ weight }) => weight !== name));
      for (const name of others) expect((await fit.mixture.read(name)).data).toEqual(weights.get(name)!.data);
    },
  );

  test("lowers the held cross-entropy by refinement, or leaves routers as they were", async () => {
    const fit = (refine: number) => fitRouters({ graph, engine }, mixture, texts, { refine, threads: 1 });
    const [plain, refined] = [await fit(0), await fit(20)];
    for (const [i, { loss, scale }] of plain.routers.entries()) {
      expect(scale).toBeGreaterThan(1);
      expect(refined.routers[i]!.loss).toBeLessThanOrEqual(loss);
      expect(loss).toBeLessThan(Math.log(EXPERTS));
    }
  });

  test("does not see how many examples are in a batch, nor the routers of the mixture", async () => {
    const other = new Map(weights);
    for (const { weight, experts, width } of routers) {
      other.set(weight, createTensor("f32", [experts, width], new Float32Array(experts * width).fill(0.1)));
    }
    const a = await fitRouters({ graph, engine }, mixture, texts, { threads: 1, refine: 0 });
    const b = await fitRouters({ graph, engine }, createCheckpoint(other), texts, {
      threads: 1,
      refine: 0,
      batchSize: 7,
    });
    for (const { weight } of routers) {
      const [left, right] = [await a.mixture.read(weight), await b.mixture.read(weight)];
      for (const [place, value] of left.data.entries())
        expect(value).toBeCloseTo(Number(right.data[place]), 2);
    }
  });

  test("fits routers with a bias that are stored as [width, experts], and leaves the bias at 0", async () => {
    const { types: _, ...rest } = graph;
    const gates = new Set(routers.map(({ weight }) => weight));
    const turned = {
      ...rest,
      nodes: graph.nodes.map((node) =>
        gates.has(node.inputs[1] ?? "")
          ? { ...node, inputs: [...node.inputs, `${node.inputs[1]}.bias`], attributes: new Map() }
          : node,
      ),
      weights: new Map(
        [...graph.weights].flatMap(([name, info]) =>
          gates.has(name)
            ? [
                [name, { ...info, shape: info.shape.toReversed() }] as const,
                [`${name}.bias`, { ...info, shape: [EXPERTS] }] as const,
              ]
            : [[name, info] as const],
        ),
      ),
    };
    const stored = new Map(weights);
    for (const { weight, width } of routers) {
      stored.set(weight, createTensor("f32", [width, EXPERTS], new Float32Array(width * EXPERTS)));
      stored.set(`${weight}.bias`, createTensor("f32", [EXPERTS], new Float32Array(EXPERTS).fill(1)));
    }
    const options = { refine: 0, threads: 1 };
    const plain = await fitRouters({ graph, engine }, mixture, texts, options);
    const fit = await fitRouters({ graph: turned, engine }, createCheckpoint(stored), texts, options);
    for (const { weight, width } of routers) {
      const [rows, columns] = [await plain.mixture.read(weight), await fit.mixture.read(weight)];
      for (const [place, value] of rows.data.entries()) {
        const [expert, unit] = [Math.floor(place / width), place % width];
        expect(columns.data[unit * EXPERTS + expert]).toBeCloseTo(Number(value), 4);
      }
      expect([...(await fit.mixture.read(`${weight}.bias`)).data]).toEqual([0, 0, 0]);
    }
  });

  test("refuses another number of texts, short texts, options out of range, and graphs without routers", async () => {
    const fit = (...args: Parameters<typeof fitRouters> extends [unknown, unknown, ...infer R] ? R : never) =>
      fitRouters({ graph, engine }, mixture, ...args);
    await expect(fit(texts.slice(1))).rejects.toThrow(/one text for each of the 3 experts.*got 2/);
    await expect(fit([textOf(0, 9), textOf(1), textOf(2)])).rejects.toThrow(/at least two examples/);
    await expect(fit(texts, { ridge: 0 })).rejects.toThrow(/"ridge" must be above 0/);
    await expect(fit(texts, { held: 1 })).rejects.toThrow(/"held" must be between/);
    const dense = networkOfConfig({ ...CONFIG, model_type: "llama", architectures: ["LlamaForCausalLM"] });
    await expect(discoverRouters({ graph: dense.graph, engine })).rejects.toThrow(/isthmus moe/);
  });
});

describe("measureRouting()", () => {
  test("counts the experts of each text: all of a text at its expert if one is active, and evenly on the whole", async () => {
    const { mixture: fitted } = await fitRouters({ graph, engine }, mixture, texts, {
      threads: 1,
      refine: 0,
    });
    const single = networkOfConfig({ ...CONFIG, num_experts_per_tok: 1 }).graph;
    const layers = await measureRouting({ graph: single, engine }, fitted, texts, { threads: 1 });
    expect(layers).toHaveLength(2);
    for (const {
      shares,
      use,
      weights,
      active,
      entropy,
      balance,
      capacity,
      dropped,
      similarities,
    } of layers) {
      for (const [text, own] of shares.entries()) {
        expect(own[text]).toBeGreaterThan(0.7);
        expect(own.reduce((sum, share) => sum + share)).toBeCloseTo(1, 9);
      }
      // One active expert has the whole weight.
      for (const [expert, weight] of weights.entries()) expect(weight).toBeCloseTo(use[expert]!, 5);
      expect(active).toBe(1);
      expect(entropy).toBeGreaterThan(0);
      expect(entropy).toBeLessThan(1);
      expect(balance).toBeGreaterThan(0.95);
      expect(capacity).toBeGreaterThanOrEqual(1);
      expect(dropped).toBe(0);
      expect(similarities[1]).toBeLessThan(0);
    }
  });

  test("gives every expert of a router of zeros the same score, so that all are chosen", async () => {
    const none = new Map(weights);
    for (const { weight, experts, width } of routers)
      none.set(weight, createTensor("f32", [experts, width], new Float32Array(experts * width)));
    const [layer] = await measureRouting({ graph, engine }, createCheckpoint(none), texts, { threads: 1 });
    expect(layer).toMatchObject({ active: EXPERTS, capacity: 1, dropped: 0 });
    expect(layer!.entropy).toBeCloseTo(1, 9);
    expect(layer!.balance).toBeCloseTo(1, 9);
  });
});
