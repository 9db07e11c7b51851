import { defineCheckpoint, type TensorInfo } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Architecture } from "@isthmus/graph";
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
});
