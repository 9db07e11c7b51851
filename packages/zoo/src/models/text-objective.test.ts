import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { networkOfConfig } from "./network-of-config.ts";
import { readTextObjective } from "./text-objective.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const BERT = {
  ...{ model_type: "bert", vocab_size: 13, hidden_size: 8, intermediate_size: 8 },
  ...{ num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 16 },
};
const T5 = { model_type: "t5", vocab_size: 13, d_model: 8, d_ff: 8, num_layers: 1, num_heads: 2 };

test("readTextObjective() masks tokens for BERT by the mask of its tokenizer, or of its vocabulary", async () => {
  const bert = networkOfConfig(BERT);
  expect(await readTextObjective(bert, folder)).toBeUndefined();
  await writeFile(join(folder, "vocab.json"), '{"a":0,"<mask>":6}');
  expect(await readTextObjective(bert, folder)).toEqual({ kind: "masked", token: 6 });
  await writeFile(join(folder, "tokenizer.json"), '{"added_tokens":[{"id":4,"content":"[MASK]"}]}');
  expect(await readTextObjective(bert, folder)).toEqual({ kind: "masked", token: 4 });
});

test("readTextObjective() lets T5 go on with a text, and leaves decoders their next token", async () => {
  const start = { ...T5, decoder_start_token_id: 2 };
  expect(await readTextObjective(networkOfConfig(start), folder)).toEqual({
    ...{ kind: "continued", start: 2, padding: 0 },
  });
  const encoder = networkOfConfig({ ...T5, architectures: ["T5EncoderModel"] });
  expect(await readTextObjective(encoder, folder)).toBeUndefined();
  const llama = networkOfConfig({ ...BERT, model_type: "llama" });
  expect(await readTextObjective(llama, folder)).toBeUndefined();
});
