import { readFileSync } from "node:fs";
import { sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Engine, exposeValues } from "@isthmus/graph";
import { returnedNames } from "@isthmus/graph/ir";
import { discoverSymmetries, explainSpec, verifySymmetries } from "@isthmus/symmetry";
import { type ConfigNetwork, networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { describeSizes } from "../../../test/helpers/describe-symmetries.ts";
import { waves } from "../../../test/helpers/waves.ts";

interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  /** The config as its library writes it today, where it is not the same. */
  readonly saved?: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Tensors that checkpoints hold besides. */
  readonly idle: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

const readGolden = (path: string): Readonly<Record<string, Golden>> =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

/**
 * What PyTorch modules, and models of the libraries transformers and diffusers, have and compute, with the formulas below for
 * weights and inputs.
 */
const golden = {
  ...readGolden("../../../test/golden/models.json"),
  ...readGolden("golden/families.json.golden"),
  ...readGolden("golden/unets.json.golden"),
};

const EXAMPLES = 2;

/** Steps of diffusion of the examples. */
const STEPS = BigInt64Array.of(3n, 700n);

const engine = createOnnxRuntimeEngine();

function infosOf(shapes: Golden["tensors"]): Map<string, TensorInfo> {
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, { dtype: "f32", shape }]));
}

/** Weights by the order of their names, as golden/generate-models.py makes them. */
function weightsOf({ tensors }: Golden): Map<string, Tensor> {
  return new Map(
    Object.keys(tensors)
      .sort()
      .map((name, index): [string, Tensor] => {
        const shape = tensors[name] ?? [];
        const offset = /(weight|gamma)$/.test(name) ? 1 : 0;
        const isVector = shape.length === 1;
        return [
          name,
          isVector
            ? waves(shape, index + 1, 0.3, offset)
            : waves(shape, index + 1, Math.sqrt(2 / sizeOf(shape.slice(1)))),
        ];
      }),
  );
}

function inputsOf({ graph, vocabularySize = 0 }: ConfigNetwork, { config }: Golden): Map<string, Tensor> {
  return new Map(
    graph.inputs.map(({ name, dtype, shape = [] }): [string, Tensor] => {
      const extents = [EXAMPLES, ...shape.slice(1).map(Number)];
      if (dtype === "f32") return [name, waves(extents, 0, 1.5)];
      if (name === "timestep") return [name, { dtype: "i64", shape: extents, data: STEPS }];
      const { vocab_size: words } = (config["text_config"] ?? config) as Readonly<Record<string, unknown>>;
      const known = name.endsWith("ids") && name !== "token_type_ids" ? Number(words ?? vocabularySize) : 2;
      const bound = name === "class_labels" ? Number(config["num_class_embeds"]) : known;
      const data = BigInt64Array.from({ length: sizeOf(extents) }, (_, i) => BigInt((7 * i + 3) % bound));
      return [name, { dtype: "i64", shape: extents, data }];
    }),
  );
}

/** The first example alone. */
function firstOf(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...inputs].map(([name, { dtype, shape, data }]) => {
      const alone = data.subarray(0, data.length / EXAMPLES);
      return [name, { dtype, shape: [1, ...shape.slice(1)], data: alone }];
    }),
  );
}

function buildGolden(entry: Golden): ConfigNetwork {
  const tensors = new Map([...infosOf(entry.tensors), ...infosOf(entry.idle)]);
  return networkOfConfig(entry.config, { tensors });
}

const refusing: Engine = {
  name: "refusing",
  load: async () => expect.fail("the graph is typed: nothing has to be run"),
};

describe.each(Object.entries(golden))("%s", (_, entry) => {
  const network = buildGolden(entry);
  const { graph } = network;

  test("networkOfConfig() computes what PyTorch computes, from the same names", async () => {
    const shapes = Object.fromEntries([...graph.weights].map(([name, { shape }]) => [name, [...shape]]));
    expect(shapes).toEqual(entry.tensors);
    const session = await engine.load(exposeValues(graph, returnedNames(graph)));
    const outputs = await session.run(new Map([...inputsOf(network, entry), ...weightsOf(entry)]));
    const single = await session.run(new Map([...firstOf(inputsOf(network, entry)), ...weightsOf(entry)]));
    await session.release();
    expect([...outputs.keys()].sort()).toEqual(Object.keys(entry.outputs).sort());
    for (const [name, expected] of Object.entries(entry.outputs)) {
      const data = outputs.get(name)?.data as Float32Array;
      const scale = Math.max(...expected.map(Math.abs));
      expect(data.length).toBe(expected.length);
      expect(single.get(name)?.shape[0]).toBe(1);
      expect(single.get(name)?.data.length).toBe(expected.length / EXAMPLES);
      // Rounding in f32 of outputs of this size; a wrong epsilon, gelu or angle shows up above 1e-4.
      const error = Math.max(...expected.map((value, i) => Math.abs(value - (data[i] ?? Number.NaN))));
      expect(error / scale).toBeLessThan(1e-5);
    }
  });

  test("networkOfConfig() builds the same from the config that its library saves", () => {
    const { config, saved = config } = entry;
    expect(buildGolden({ ...entry, config: saved }).graph).toEqual(graph);
  });

  test("discoverSymmetries() needs no run, and what it finds holds on every value", async () => {
    const symmetries = await discoverSymmetries({ graph, engine: refusing });
    expect(symmetries.spec.unknown).toEqual([]);
    const verified = await verifySymmetries({ graph, engine }, symmetries, { seed: 1 });
    expect(verified.firstFailure).toBeUndefined();
  });

  test("discoverSymmetries() finds in a narrowed network what it finds in the whole", async () => {
    const whole = explainSpec((await discoverSymmetries({ graph, engine: refusing })).spec);
    const narrow = network.narrow();
    const twin = explainSpec((await discoverSymmetries({ graph: narrow.graph, engine: refusing })).spec);
    const kinds = ({ name, parents }: (typeof whole)["symmetries"][number]) => ({ name, parents });
    expect(twin.symmetries.map(kinds)).toEqual(whole.symmetries.map(kinds));
    const { free, partly, total } = whole.axes;
    expect(twin.axes).toMatchObject({ free, partly, total });
  });
});

// Heads of each layer (of Llama, groups of keys and values), the stream unless it is what comes out, hidden units (of each expert),
// the pooled row of texts;
// inside heads what queries share with keys, where positions do not turn it (of Llama, the queries' heads of a group), and values.
test.each([
  ["llama", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  ["llama, biases, heads of their own width, stretched", "2 2 16 24 24 2x2 2x2 2x6 2x6"],
  ["mistral", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  ["qwen2", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  ["gpt2", "4 4 16 64 64 4x4 4x4 4x4 4x4"],
  ["gpt2, base", "4 4 64 64 4x4 4x4 4x4 4x4"],
  ["gpt_neox", "4 4 24 24 32 4x6 4x6 4x8 4x8"],
  ["gpt_neox, one after the other", "4 4 24 24 32 4x8 4x8"],
  ["bert, as published", "4 4 16 16 24 24 4x4 4x4 4x4 4x4"],
  ["qwen3", "2 2 16 24 24 2x2 2x2 2x6 2x6"],
  ["gemma", "2 2 16 24 24 2x2 2x2 2x6 2x6"],
  ["gemma2", "2 2 16 24 24 2x2 2x2 2x6 2x6"],
  ["gemma3_text", "2 2 16 24 24 2x2 2x2 2x6 2x6"],
  ["phi", "4 4 24 24 32 4x4 4x4 4x8 4x8"],
  ["phi3, partly turned, stretched", "2 2 24 24 32 2x2 2x2 2x2 2x2 2x8 2x8"],
  ["mixtral", "2 2 16 24 24 24 24 24 24 2x2 2x2 2x4 2x4"],
  ["qwen3_moe", "2 2 12 12 12 12 12 12 16 2x2 2x2 2x6 2x6"],
  // The shared experts are 8 and 12 units wide.
  ["qwen2_moe", "2 2 8 8 12 12 12 12 12 12 16 2x2 2x2 2x4 2x4"],
  ["deepseek", "2 2 12 12 12 12 12 12 12 12 16 2x2 2x2 2x4 2x4"],
  ["granite", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  ["olmo2", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  ["stablelm", "2 2 24 24 32 2x2 2x2 2x6 2x6 2x8 2x8"],
  ["stablelm, parallel, norms of heads", "4 4 8 8 8 8 24 24 32"],
  ["starcoder2", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  ["cohere", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  // The second layer has no positions, so that its queries and keys move freely.
  ["cohere2", "2 2 16 24 24 2x2 2x2 2x4 2x4 2x4"],
  ["falcon", "4 4 4 4 16 24 24"],
  ["falcon, new", "2 2 16 24 24 2x2 2x2 2x4 2x4"],
  ["falcon, one after the other", "4 4 16 24 24 4x4 4x4"],
  // Heads, the short rows of keys and values and of queries, and the shared experts beside the others.
  ["deepseek_v2", "4 4 8 8 8 8 8 8 8 10 10 16 24 4x5 4x5 4x6 4x6"],
  ["deepseek_v3", "4 4 8 8 8 8 8 8 8 8 8 10 10 16 24 4x5 4x5 4x6 4x6"],
  // The stream moves with the tensors by which images enter it.
  ["gemma3", "4 4 16 24 24 4x2 4x2 4x6 4x6"],
  ["qwen3_vl", "2 2 16 24 24 2x2 2x2 2x6 2x6"],
  // States of each layer, the stream, and channels; with more than one, the numbers from which steps come.
  ["mamba", "3 3 12 24 24"],
  ["mamba, biases, a head of its own", "2 2 3 3 12 12 12"],
  // Groups of heads, their heads, states and the channels of heads.
  ["mamba2", "2 2 12 2x2 2x2 2x3 2x3 4x6 4x6"],
  ["roberta, for words", "4 4 16 24 24 4x4 4x4 4x4 4x4"],
  ["roberta, for texts", "4 4 16 16 24 24 4x4 4x4 4x4 4x4"],
  ["distilbert, for words", "4 4 16 24 24 4x4 4x4 4x4 4x4"],
  ["modernbert, for words", "4 4 16 24 24 4x4 4x4"],
  // The channels between the convolutions, and the streams of encoder and decoder.
  ["whisper", "4 4 4 16 16 16 24 24 4x4 4x4 4x4 4x4 4x4 4x4"],
  // The embedding of 6 dimensions that images and texts share, and a stream of each tower.
  ["clip", "2 2 6 8 10 12 12 2x4 2x4 2x6 2x6"],
  ["clip, texts", "2 8 12 2x4 2x4"],
  ["clip, images", "2 10 12 2x6 2x6"],
  ["siglip", "2 2 2 10 10 12 12 12 12 2x6 2x6 2x6 2x6 2x6 2x6"],
  ["t5", "4 4 4 4 16 24 24 24 24 4x6 4x6 4x6 4x6 4x6 4x6 4x6 4x6 4x6 4x6 4x6 4x6"],
  ["vit", "4 4 16 24 24 4x4 4x4 4x4 4x4"],
])("discoverSymmetries() finds in %s what moves", async (name, sizes) => {
  const { spec } = await discoverSymmetries({
    graph: buildGolden(golden[name] as Golden).graph,
    engine: refusing,
  });
  expect(describeSizes(spec).join(" ")).toBe(sizes);
});
