import { readFile } from "node:fs/promises";

/** Tokens of a window of text. */
export const CONTEXT = 64;

const CHARACTERS = ["\n", ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))];

/** Token of each character: the printable characters of ASCII, and the end of a line. */
export const VOCABULARY: ReadonlyMap<string, number> = new Map(
  CHARACTERS.map((text, token) => [text, token]),
);

/** Config of the mixtures: two blocks with eight experts, of which each token takes two. */
export const CONFIG = {
  model_type: "mixtral",
  architectures: ["MixtralForCausalLM"],
  vocab_size: VOCABULARY.size,
  hidden_size: 48,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_local_experts: 8,
  num_experts_per_tok: 2,
  max_position_embeddings: CONTEXT,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
};

/** Reads a text and leaves out the characters that have no token. */
export async function readAscii(path: string): Promise<string> {
  const text = await readFile(path, "utf8");
  return [...text.replaceAll("\t", " ")].filter((character) => VOCABULARY.has(character)).join("");
}
