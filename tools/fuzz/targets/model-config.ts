import { networkOfConfig, openModel } from "@isthmus/zoo";
import { SMALL_GPT2 } from "../../../test/helpers/small-gpt2.ts";
import { deepen } from "../bombs.ts";
import { savedFiles } from "../fixtures.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import type { FuzzTarget } from "../target.ts";

const LLAMA = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  vocab_size: 13,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: "silu",
};

/** Makes models in Hugging Face form whose config says something else than their weights. */
export async function createModelConfigTarget(): Promise<FuzzTarget> {
  const models = await Promise.all(
    [SMALL_GPT2, LLAMA].map(async (config) => ({
      config,
      files: await savedFiles(networkOfConfig(config).initialize(0)),
    })),
  );
  return {
    name: "model config",
    valid: () => models.map(({ config, files }) => ({ ...files, "config.json": JSON.stringify(config) })),
    *bombs() {
      for (const { config, files } of models) {
        for (const text of deepen(config)) yield { ...files, "config.json": text };
        for (const [key, value] of Object.entries(config)) {
          if (typeof value === "number")
            yield { ...files, "config.json": JSON.stringify({ ...config, [key]: 2 ** 40 }) };
        }
      }
    },
    make(dice) {
      const { config, files } = dice.pick(models);
      return { ...files, "config.json": writeJson(dice, mutateJson(dice, config)) };
    },
    async read(folder) {
      const { checkpoint } = await openModel(folder);
      await checkpoint.close();
    },
  };
}
