import { at, defineCheckpoint, type TensorInfo } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Architecture, Engine, Session } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, type Symmetries } from "@isthmus/symmetry";
import { type ConfigNetwork, networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { proveAlignment } from "./prove-alignment.ts";

const CONFIG = {
  model_type: "llama",
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
const UNET = {
  ...{ _class_name: "UNet2DModel", sample_size: 32, block_out_channels: [8, 16], layers_per_block: 1 },
  ...{ down_block_types: ["DownBlock2D", "DownBlock2D"], up_block_types: ["UpBlock2D", "UpBlock2D"] },
  norm_num_groups: 4,
  add_attention: false,
};
const engine = createOnnxRuntimeEngine();
async function provable(
  network: ConfigNetwork,
  symmetriesOf = network,
): Promise<[Architecture, { readonly symmetries: Symmetries }]> {
  const symmetries = await discoverSymmetries({ graph: symmetriesOf.graph, engine });
  const narrow = () => network.narrow().graph;
  return [{ graph: network.graph, engine, narrow }, { symmetries }];
}

describe("proveAlignment()", () => {
  test("proveAlignment() runs a network itself", async () => {
    const network = networkOfConfig(CONFIG);
    const [architecture, group] = await provable(network);
    const { spec } = group.symmetries;
    const weights = network.initialize(1);
    const permuted = permute(randomAlignment(spec, 1), weights, spec);
    const proof = await proveAlignment(architecture, group, [weights, permuted], { seed: 0 });
    expect(proof).toMatchObject({ passed: true, narrowed: false });
    await expect(
      proveAlignment(architecture, group, [weights, network.initialize(2)], { seed: 0 }),
    ).rejects.toThrow(
      /Cannot align with graph "llama" as aligning must not change what it computes: the output differs by/,
    );
  });

  test("proveAlignment() reads nothing of a network too large to be run, and runs a narrowed one", async () => {
    const large = networkOfConfig({ ...CONFIG, vocab_size: 2 ** 24 });
    const tensors: ReadonlyMap<string, TensorInfo> = large.graph.weights;
    const unread = defineCheckpoint({
      source: "large",
      tensors,
      readInto: async (name) => expect.fail(`"${name}" must not be read`),
    });
    const [architecture, group] = await provable(large, networkOfConfig(CONFIG));
    const proof = await proveAlignment(architecture, group, [unread, unread], { seed: 0 });
    expect(proof).toMatchObject({ passed: true, narrowed: true });
    expect(proof.maxRelativeError).toBeLessThan(1e-4);
  });

  test("proveAlignment() runs the weights of a U-Net on small images", async () => {
    const network = networkOfConfig(UNET);
    const [architecture, group] = await provable(network);
    const { spec } = group.symmetries;
    const weights = network.initialize(1);
    const permuted = permute(randomAlignment(spec, 1), weights, spec);
    const sizes = new Set<number>();
    const watched: Engine = {
      ...engine,
      async load(graph, options) {
        const session = await engine.load(graph, options);
        const run: Session["run"] = (feeds, outputs) => {
          for (const { shape } of feeds.values()) if (shape.length === 4) sizes.add(at(shape, 3, "axis"));
          return session.run(feeds, outputs);
        };
        return { ...session, run, release: () => session.release() };
      },
    };
    const shrink = network.shrink && (() => network.shrink?.().graph ?? network.graph);
    const small = { ...architecture, engine: watched, shrink };
    const proof = await proveAlignment(small, group, [weights, permuted], { seed: 0 });
    expect(proof).toMatchObject({ passed: true, narrowed: false });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16);
    const other = network.initialize(2);
    await expect(
      proveAlignment(small, group, [weights, other], { seed: 0, proof: "outputs" }),
    ).rejects.toThrow(/aligning must not change what it computes/);
    expect(networkOfConfig({ ...UNET, sample_size: 4 }).shrink).toBeUndefined();
  });
});
