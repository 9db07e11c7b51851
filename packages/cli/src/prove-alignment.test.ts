import { defineCheckpoint, type TensorInfo } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { type ConfigNetwork, networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import type { Aligner } from "./aligner.ts";
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
const context = { signal: new AbortController().signal };

async function alignerOf(network: ConfigNetwork, symmetriesOf = network): Promise<Aligner> {
  const symmetries = await discoverSymmetries(symmetriesOf.graph, engine);
  return {
    graph: network.graph,
    engine,
    symmetries,
    carried: new Map(),
    narrow: () => network.narrow().graph,
  };
}

describe("proveAlignment()", () => {
  test("proveAlignment() runs a network itself", async () => {
    const network = networkOfConfig(CONFIG);
    const aligner = await alignerOf(network);
    const { spec } = aligner.symmetries;
    const weights = network.initialize(1);
    const permuted = permute(randomAlignment(spec, 1), weights, spec);
    const proof = await proveAlignment(aligner, [weights, permuted], 0, context);
    expect(proof).toMatchObject({ passed: true, narrowed: false });
    await expect(proveAlignment(aligner, [weights, network.initialize(2)], 0, context)).rejects.toThrow(
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
    const aligner = await alignerOf(large, networkOfConfig(CONFIG));
    const proof = await proveAlignment(aligner, [unread, unread], 0, context);
    expect(proof).toMatchObject({ passed: true, narrowed: true });
    expect(proof.maxRelativeError).toBeLessThan(1e-4);
  });
});
