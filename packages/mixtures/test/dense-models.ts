import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Checkpoint, saveCheckpoint } from "@isthmus/core";
import { networkOfConfig } from "@isthmus/zoo";

type Config = Readonly<Record<string, unknown>>;

/** The config of a small Llama whose tokens are characters. */
export const DENSE: Config = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  vocab_size: 12,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
};

/** Files beside the weights of a model. */
export interface DenseFiles {
  /** Fields of the config that differ from {@link DENSE}. */
  readonly config?: Config;
  /** Weights. @defaultValue random ones by the seed */
  readonly weights?: Checkpoint;
  /** Seed of the weights. @defaultValue 0 */
  readonly seed?: number;
  /** Characters by their ids. @defaultValue the letters from a on */
  readonly characters?: string;
}

/** Saves a dense model as a folder. */
export async function saveDense(folder: string, files: DenseFiles = {}): Promise<void> {
  const { seed = 0, characters = "abcdefghijkl" } = files;
  const config = { ...DENSE, ...files.config };
  const weights = files.weights ?? networkOfConfig(config).initialize(seed);
  mkdirSync(folder, { recursive: true });
  await saveCheckpoint(weights, `${folder}/`, { overwrite: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const ids = Object.fromEntries([...characters].map((character, id) => [character, id]));
  writeFileSync(join(folder, "vocab.json"), JSON.stringify(ids));
}
