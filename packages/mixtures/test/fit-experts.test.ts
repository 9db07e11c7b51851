import { at, type Checkpoint, createCheckpoint, createRandom, createTensor, type Tensor } from "@isthmus/core";
import { createTokenDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, randomWeights } from "@isthmus/graph";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { fitExperts } from "../src/refit/fit-experts.ts";
import { findRouters } from "../src/routers/find-routers.ts";
import { forceExpert } from "../src/routers/force-expert.ts";

const CONFIG = {
  ...{ model_type: "mixtral", architectures: ["MixtralForCausalLM"], vocab_size: 30, hidden_size: 8 },
  ...{ intermediate_size: 12, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 },
  ...{ num_local_experts: 2, num_experts_per_tok: 1, max_position_embeddings: 8 },
};
const engine = createOnnxRuntimeEngine();
const { graph } = networkOfConfig(CONFIG);
const weights = randomWeights(graph, 1);
const mixture = createCheckpoint(weights);
const isShared = (name: string) => !name.includes(".block_sparse_moe.");

const random = createRandom(3);
const ids = Uint16Array.from({ length: 900 }, () => random.integer(30));
const text = createTokenDataSet(ids, { context: 8, vocabularySize: 30, name: "words" });

/** Shared layers of a dense model: those of the mixture with normal noise. */
function denseModel(deviation: number): Checkpoint {
  const noise = createRandom(7);
  const own = [...weights].filter(([name]) => isShared(name));
  return createCheckpoint(
    new Map(
      own.map(([name, { shape, data }]): [string, Tensor] => [
        name,
        createTensor("f32", shape, Float32Array.from(data, (x) => Number(x) + deviation * noise.normal())),
      ]),
    ),
  );
}

/** Mean squared distance of logits on the text, all tokens at expert 0, between a mixture and a dense model. */
async function distance(fitted: Checkpoint, dense: Checkpoint): Promise<number> {
  const forced = forceExpert(graph, findRouters(graph), 0);
  const run = async (network: ReadonlyMap<string, Tensor>) => {
    const session = await engine.load(forced, { threads: 1 });
    const feeds = new Map(network).set(at(graph.inputs, 0).name, text.read(0, text.size).inputs);
    const logits = (await session.run(feeds)).get("logits")!.data;
    await session.release();
    return Float64Array.from(logits, Number);
  };
  const read = async (network: Checkpoint) =>
    new Map(
      await Promise.all([...network.tensors.keys()].map(async (name) => [name, await network.read(name)] as const)),
    );
  const [a, b] = [await run(await read(fitted)), await run(new Map([...weights, ...(await read(dense))]))];
  return a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / a.length;
}

describe("fitExperts()", () => {
  test("changes nothing if the shared layers of the mixture are those of the models", async () => {
    const source = { network: denseModel(0), text };
    const fitted = await fitExperts({ graph, engine }, mixture, [source, source], { threads: 1 });
    for (const [name, { data }] of weights) {
      const got = (await fitted.read(name)).data;
      for (const [i, value] of data.entries()) expect(got[i]).toBeCloseTo(Number(value), 3);
    }
  });

  test("brings the logits of an expert closer to those of its model, and changes its last matrices alone", async () => {
    const source = { network: denseModel(0.05), text };
    const done: number[] = [];
    const fitted = await fitExperts({ graph, engine }, mixture, [source, source], {
      threads: 1,
      onProgress: (progress) => done.push(progress.done),
    });
    const [before, after] = [await distance(mixture, source.network), await distance(fitted, source.network)];
    expect(after).toBeLessThan(0.8 * before);
    expect(done.at(-1)).toBe(1);
    for (const [name, { data }] of weights) {
      if (!name.includes(".w2.")) expect((await fitted.read(name)).data).toEqual(data);
    }
    const evaluator = await createEvaluator({ graph, engine }, text);
    expect((await evaluator.evaluate(fitted)).loss).toBeGreaterThan(0);
    await evaluator.release();
  });

  test("refuses another number of models, and a ridge of 0", async () => {
    const source = { network: denseModel(0), text };
    const architecture = { graph, engine };
    await expect(fitExperts(architecture, mixture, [source])).rejects.toThrow(/each of the 2 experts: got 1/);
    await expect(fitExperts(architecture, mixture, [source, source], { ridge: 0 })).rejects.toThrow(/above 0/);
  });
});
