import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { readModelFacts } from "./model-facts.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const write = (name: string, json: unknown) => writeFileSync(join(folder, name), JSON.stringify(json));

test("readModelFacts() reads what config and tokenizer say", async () => {
  write("config.json", {
    model_type: "llama",
    tie_word_embeddings: true,
    quantization_config: { quant_method: "hqq" },
  });
  const facts = { modelType: "llama", tied: true, quantization: "hqq", adapter: false };
  expect(await readModelFacts(folder)).toEqual({ ...facts, chat: false });
  write("config.json", { model_type: "llama", quantization_config: { quant_method: "gptq" } });
  expect((await readModelFacts(folder))?.quantization).toBeNull();
  write("config.json", {
    model_type: "llama",
    tie_word_embeddings: true,
    quantization_config: { quant_method: "hqq" },
  });
  write("tokenizer_config.json", { chat_template: "{{ messages }}" });
  expect(await readModelFacts(folder)).toEqual({ ...facts, chat: true });
});

test("readModelFacts() knows adapters, and templates in files of their own", async () => {
  write("adapter_config.json", { r: 8 });
  writeFileSync(join(folder, "chat_template.jinja"), "{{ messages }}");
  const facts = { modelType: null, tied: null, quantization: null, chat: true, adapter: true };
  expect(await readModelFacts(folder)).toEqual(facts);
});

test("readModelFacts() returns null where nothing is said, and names a damaged file", async () => {
  expect(await readModelFacts(folder)).toBeNull();
  expect(await readModelFacts(join(folder, "missing"))).toBeNull();
  write("config.json", []);
  expect(await readModelFacts(join(folder, "config.json"))).toBeNull();
  writeFileSync(join(folder, "config.json"), "{");
  await expect(readModelFacts(folder)).rejects.toThrow(/config\.json/);
});
