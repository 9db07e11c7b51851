import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCheckpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { type Healing, type HealOptions, heal, openHealing } from "@isthmus/merge-learning";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { numbersOf } from "../../../test/helpers/run-steps.ts";
import { abortAfter } from "../../training/test/abort-after.ts";

const LLAMA = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 8,
};
const MIXTRAL = {
  ...LLAMA,
  model_type: "mixtral",
  architectures: ["MixtralForCausalLM"],
  num_local_experts: 2,
  num_experts_per_tok: 2,
};
/** An expert of another width and depth, for which only the tokens are the same. */
const WIDE = { ...LLAMA, hidden_size: 12, num_hidden_layers: 2 };

const engine = createOnnxRuntimeEngine();

describe("healing by experts of other architectures", () => {
  let folder = "";
  inFreshFolders((made) => {
    folder = made;
  });
  const tokens = () => [1, 2].map((seed) => `tokens:${join(folder, `${seed}.bin`)},u16`);

  async function save(name: string, config: object, letters?: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(path, { recursive: true });
    await saveCheckpoint(createCheckpoint(randomWeights(networkOfConfig(config).graph, name.length)), path);
    await writeFile(join(path, "config.json"), JSON.stringify(config));
    if (letters !== undefined) {
      const ids = Object.fromEntries([...letters].map((letter, i) => [letter, i]));
      await writeFile(join(path, "vocab.json"), JSON.stringify(ids));
    }
    return path;
  }

  async function open(merged: string, experts: readonly string[]): Promise<Healing> {
    for (const seed of [1, 2]) {
      const ids = Uint16Array.from({ length: 200 }, (_, i) => (i * i * (seed + 1) + i) % 11);
      await writeFile(join(folder, `${seed}.bin`), ids);
    }
    const named = async (path: string) => ({ path, checkpoint: await openCheckpoint(path) });
    return openHealing({
      merged: await named(merged),
      experts: await Promise.all(experts.map(named)),
      data: tokens().slice(0, experts.length),
      evalData: ["none"],
      engine,
    });
  }

  const rules: HealOptions = { steps: 40, batch: 4, learningRate: 0.02, threads: 1 };

  it("brings a mixture near to dense experts, and one of its own kind", async () => {
    const merged = await save("mixture", MIXTRAL);
    const healing = await open(merged, [await save("a", WIDE), await save("other", MIXTRAL)]);
    expect(healing.experts.map(({ ownGraph }) => ownGraph !== undefined)).toEqual([true, false]);
    const { weights, result } = await heal(healing, rules);
    for (const { before, after } of result.experts) {
      expect(after.divergence).toBeLessThan(0.7 * before.divergence);
    }
    expect([...weights.tensors.keys()].sort()).toEqual([...healing.network.tensors.keys()].sort());
    const gate = "model.layers.0.block_sparse_moe.gate.weight";
    expect(numbersOf(await weights.read(gate))).not.toEqual(numbersOf(await healing.network.read(gate)));
  });

  it("resumes to the same bytes, and refuses the state of another expert", async () => {
    const [merged, a, b, c] = [
      await save("mixture", MIXTRAL),
      await save("a", LLAMA),
      await save("dense", LLAMA),
      await save("fourth", WIDE),
    ];
    const whole = await heal(await open(merged, [a, b]), rules);
    const kept = { ...rules, statePath: join(folder, "healed.state.safetensors"), saveEvery: 7 };
    await expect(heal(await open(merged, [a, b]), { ...kept, ...abortAfter(23) })).rejects.toThrow();
    await expect(heal(await open(merged, [a, c]), { ...kept, resume: true })).rejects.toThrow(
      /same training: "expert 2/,
    );
    const { weights, result } = await heal(await open(merged, [a, b]), { ...kept, resume: true });
    expect(result.resumedAt).toBe(23);
    for (const name of weights.tensors.keys()) {
      expect(numbersOf(await weights.read(name))).toEqual(numbersOf(await whole.weights.read(name)));
    }
  });

  it("refuses experts that predict other tokens", async () => {
    const merged = await save("mixture", MIXTRAL, "abcdefghijk");
    const turned = await save("turned", LLAMA, "bacdefghijk");
    await expect(open(merged, [turned])).rejects.toThrow(
      /must predict the tokens of .*: the token "a" has the id 0 in the merged network, and it has the id 1 there/,
    );
    const more = await open(await save("plain", MIXTRAL), [await save("more", { ...LLAMA, vocab_size: 13 })]);
    await expect(heal(more, rules)).rejects.toThrow(
      /must have the shape of those of graph .*\[4, 8, 11\]: they are \[4, 8, 13\]; .* tables have as many rows/,
    );
  });
});
