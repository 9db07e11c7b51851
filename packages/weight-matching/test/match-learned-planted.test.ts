import { createCheckpoint, createTensor, entry, type Tensor } from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import { bindWeights, type Graph, randomWeights } from "@isthmus/graph";
import { discoverSymmetries, verifyAlignment } from "@isthmus/symmetry";
import { matchLearned } from "@isthmus/weight-matching";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { rotaryNetwork } from "../../../test/helpers/rotary-networks.ts";
import { STREAM_SHAPES } from "../../../test/helpers/shapes/stream-shapes.ts";
import { UNIT_SHAPES } from "../../../test/helpers/shapes/unit-shapes.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";

import { EXAMPLES, engine, examplesFor, lockHeads, networkOf, nudged, scramble } from "./learned-networks.ts";

/** Builds one of the networks of many shapes. */
function shapeNetwork(name: string): Graph {
  const b = new GraphBuilder();
  const shape = entry(new Map([...STREAM_SHAPES, ...UNIT_SHAPES]), name, "shape");
  return b.output(shape(b)).build(name);
}

const PLANTED: readonly (readonly [string, Graph])[] = [
  ["layer norm", streamNetwork("layer")],
  ["root mean square norm in pieces", streamNetwork("root mean square in pieces")],
  ["root mean square norm times 1 + weight", streamNetwork("root mean square times 1 + weight")],
  ["grouped queries", streamNetwork("root mean square in pieces", "grouped")],
  ["one head of keys and values", streamNetwork("root mean square in pieces", "multi-query")],
  ["layer scale", streamNetwork("layer", "layer-scale")],
  ["features and classes of unit length", shapeNetwork("a cosine head")],
  ["queries and keys of unit length", shapeNetwork("cosine attention: layer norm")],
  ["a standardized weight", shapeNetwork("a standardized weight")],
  ["rotary embedding of halves", rotaryNetwork("halves")],
  ["rotary embedding of neighbours", rotaryNetwork("interleaved")],
];

const SMALL = { hidden_size: 16, intermediate_size: 24, num_hidden_layers: 1, num_attention_heads: 2 };
const LLAMA = { ...SMALL, model_type: "llama", architectures: ["LlamaForCausalLM"] };
const GEMMA = {
  ...SMALL,
  ...{ model_type: "gemma", architectures: ["GemmaForCausalLM"], tie_word_embeddings: false },
  ...{ num_key_value_heads: 1, head_dim: 4 },
};
const MIXTRAL = {
  ...SMALL,
  ...{ model_type: "mixtral", architectures: ["MixtralForCausalLM"], num_key_value_heads: 2 },
  ...{ num_local_experts: 3, num_experts_per_tok: 2 },
};
const NEOX = { ...SMALL, model_type: "gpt_neox", architectures: ["GPTNeoXForCausalLM"], rotary_pct: 0.5 };

describe("matchLearned()", () => {
  test.each(PLANTED)("recovers a planted element of the whole group in closed form: %s", async (_, graph) => {
    const symmetries = await discoverSymmetries({ graph, engine });
    const data = examplesFor(graph);
    for (let seed = 0; seed < 2; seed++) {
      const a = networkOf(graph, seed);
      const planted = await scramble(graph, a, seed);
      expect(await distance(a, planted)).toBeGreaterThan(1);
      const options = { seed, steps: 0, batchSize: 16, streamExamples: EXAMPLES };
      const { transform } = await matchLearned({ graph, engine, symmetries }, [a, planted], data, options);
      expect(await distance(a, await transform(planted))).toBeLessThan(1e-3);
    }
  });

  test.each([
    ["Llama with one head of keys and values", { ...LLAMA, num_key_value_heads: 1 }],
    ["Gemma with one, and a head of its own", GEMMA],
    ["Mixtral, with its experts and the shifts of its routers", MIXTRAL],
  ])("recovers a planted element of the whole group in closed form: %s", async (_, config) => {
    const text = createTextDataSet(markovText(600, 0), { context: 8 });
    const { graph } = networkOfConfig({ ...config, num_attention_heads: 4, vocab_size: text.classes });
    const symmetries = await discoverSymmetries({ graph, engine });
    for (let seed = 0; seed < 2; seed++) {
      const a = createCheckpoint(randomWeights(graph, seed), {}, "a");
      const planted = await scramble(graph, a, seed);
      expect(await distance(a, planted)).toBeGreaterThan(100);
      const options = { seed, steps: 0, batchSize: 16, streamExamples: EXAMPLES };
      const { transform, spaces } = await matchLearned(
        { graph, engine, symmetries },
        [a, planted],
        text,
        options,
      );
      expect(spaces).toMatchObject({ orthogonal: 1, invertible: config.num_key_value_heads });
      expect(await distance(a, await transform(planted))).toBeLessThan(2e-2);
    }
  });

  test("finds groups of heads that only their turned queries and keys tell apart", async () => {
    const graph = rotaryNetwork("halves");
    const symmetries = await discoverSymmetries({ graph, engine });
    const original = await bindWeights(graph, networkOf(graph, 4));
    // All of the second group as of the first, except for the first 4 of 6 dimensions of queries and keys, which
    // are turned.
    const repeated = (name: string, width: number, ofGroup: number, turned = 0): [string, Tensor] => {
      const { shape, data } = original.get(name) as Tensor;
      const place = (i: number) => (i % 6 < turned ? i : i - (i % width) + (i % ofGroup));
      return [
        name,
        createTensor(
          "f32",
          shape,
          (data as Float32Array).map((_, i) => Number(data[place(i)])),
        ),
      ];
    };
    const alike = [
      ...[repeated("q.weight", 24, 12, 4), repeated("q.bias", 24, 12, 4)],
      ...[repeated("k.weight", 12, 6, 4), repeated("k.bias", 12, 6, 4)],
      ...[repeated("v.weight", 12, 6), repeated("v.bias", 12, 6), repeated("o.weight", 72, 36)],
    ];
    const a = createCheckpoint(new Map([...original, ...alike]));
    for (let seed = 0; seed < 6; seed++) {
      const planted = await scramble(graph, a, seed);
      const options = { seed, steps: 0, batchSize: 16, streamExamples: EXAMPLES };
      const { transform } = await matchLearned(
        { graph, engine, symmetries },
        [a, planted],
        examplesFor(graph),
        options,
      );
      expect(await distance(a, await transform(planted))).toBeLessThan(1e-3);
    }
  });

  test("undoes matrices that were multiplied into heads so that a relative could not be merged", async () => {
    const graph = streamNetwork("layer");
    const a = networkOf(graph, 1);
    const relative = await nudged(graph, a, 0.01);
    const locked = await lockHeads(graph, relative, 4);
    const data = examplesFor(graph);
    const symmetries = await discoverSymmetries({ graph, engine });
    expect(await verifyAlignment({ graph, engine }, [relative, locked], { seed: 1 })).toMatchObject({
      passed: true,
    });
    const options = { seed: 0, steps: 0, batchSize: 16, streamExamples: EXAMPLES };
    const { transform } = await matchLearned({ graph, engine, symmetries }, [a, locked], data, options);
    const apart = await distance(a, relative);
    expect(await distance(a, locked)).toBeGreaterThan(10 * apart);
    expect(await distance(a, await transform(locked))).toBeLessThan(1.1 * apart);
  });

  test.each([
    ["GPT-NeoX, partly rotary, without gates", NEOX],
    ["Llama with one head of keys", { ...LLAMA, num_key_value_heads: 1 }],
  ])("aligns networks of which rotary pairs are a part: %s", async (_, config) => {
    const text = createTextDataSet(markovText(600, 0), { context: 8 });
    const { graph, initialize } = networkOfConfig({ ...config, vocab_size: text.classes });
    const symmetries = await discoverSymmetries({ graph, engine });
    const [a, b] = [initialize(0), initialize(1)];
    const options = { seed: 0, steps: 1, batchSize: 8 };
    const { transform, spaces } = await matchLearned({ graph, engine, symmetries }, [a, b], text, options);
    expect(spaces["complex"]).toBeGreaterThan(0);
    expect(await verifyAlignment({ graph, engine }, [b, await transform(b)], { seed: 3 })).toMatchObject({
      passed: true,
    });
  });
});
