import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint, withAdapters } from "@isthmus/core";
import { expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { extractAdapter } from "./extract-adapter.ts";
import { openAdapted } from "./open-adapted.ts";
import { isAdapter } from "./open-adapter.ts";
import { saveAdapter } from "./save-adapter.ts";

const network = (...w: number[]) =>
  createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
const base = network(1, 0, 0, 1);

let folder: string;
inFreshFolders(async (path) => {
  folder = path;
  for (const name of ["base.safetensors", "c++.safetensors"]) await saveCheckpoint(base, at(name));
  await writeFile(at("cut.safetensors"), (await readFile(at("base.safetensors"))).subarray(0, -1));
  await saveAdapter(extractAdapter(network(1, 2, 0, 1), base, { rank: 1 }).adapter, at("lora"));
});
const at = (name: string) => join(folder, name);

/** Reads the element that the adapter changes, of a name that any verb opens. */
async function changed(name: string): Promise<number> {
  const checkpoint = await withAdapters(openAdapted, () => openCheckpoint(name));
  const { data } = await checkpoint.read("q.weight");
  await checkpoint.close();
  return Math.round(Number(data[1]) * 1e5) / 1e5;
}

test("a name of a model and an adapter is opened as both, with the files of both", async () => {
  expect(await changed(`${at("base.safetensors")}+${at("lora")}`)).toBe(2);
  const opened = await openAdapted({ model: at("base.safetensors"), adapter: at("lora") });
  expect(opened.files).toContain(at("lora/adapter_config.json"));
  await opened.close();
});

test("plus signs in names of files are kept", async () => {
  expect(await changed(`${at("c++.safetensors")}+${at("lora")}`)).toBe(2);
  const both = `${at("base.safetensors")}+lora.safetensors`;
  await saveCheckpoint(network(7, 7, 7, 7), both);
  expect(await changed(both)).toBe(7);
});

test("several adapters are applied one after the other, and none is left out", async () => {
  const [model, lora, more] = [at("base.safetensors"), at("lora"), at("lora+plus")];
  await saveAdapter(extractAdapter(network(1, 5, 0, 1), base, { rank: 1 }).adapter, more);
  expect(await changed(`${model}+${lora}+${lora}`)).toBe(4);
  expect(await changed(`${model}+${more}`)).toBe(5);
  expect(await changed(`${model}+${more}+${lora}`)).toBe(7);
  expect(await changed(`${model}+${lora}+${more}+${lora}`)).toBe(9);
  await expect(changed(`${model}+${lora}+plos`)).rejects.toThrow(/an adapter "plos" changes/);
  for (const adapter of [`${lora}+nothing`, `${more}+${lora}`])
    await expect(openAdapted({ model, adapter })).rejects.toThrow(`an adapter "${adapter}" changes`);
  await expect(changed(`${model}+nothing+${lora}`)).rejects.toThrow(
    `a model "${model}" that an adapter "nothing" `,
  );
  expect(await isAdapter(lora)).toBe(true);
  expect(await isAdapter(`${lora}+nothing`)).toBe(false);
});

test.each([
  ["nothing", "lora", /Cannot open ".*nothing\+.*lora" as there must be .* a model ".*nothing".* ".*lora"/],
  [
    "base.safetensors",
    "nothing",
    /Cannot open ".*base.safetensors\+.*nothing" as there must be .* an adapter ".*nothing"/,
  ],
  ["base.safetensors", "base.safetensors", /they are the weights of a network/],
  ["base.safetensors", "cut.safetensors", /"[^+]*cut.safetensors" as .*may be cut short$/],
])("%s+%s is refused, and the message names both", async (model, adapter, message) => {
  await expect(changed(`${at(model)}+${at(adapter)}`)).rejects.toThrow(message);
});

test("the part of one network of a pipeline is applied, and what is left is said", async () => {
  const f32 = (rows: number, columns: number) =>
    createTensor("f32", [rows, columns], new Float32Array(rows * columns).fill(1));
  const pair = (module: string) => ({
    [`${module}.lora_down.weight`]: f32(1, 2),
    [`${module}.lora_up.weight`]: f32(2, 1),
  });
  const style = at("style.safetensors");
  await saveCheckpoint(createCheckpoint({ ...pair("lora_unet_q"), ...pair("lora_te_k") }), style);
  const model = at("base.safetensors");
  await expect(changed(`${model}+${style}`)).rejects.toThrow("such as model+unet:adapter");
  expect(await changed(`${model}+unet:${style}`)).toBe(1);
  const notes: string[] = [];
  const opened = await openAdapted(
    { model, adapter: `unet:${style}` },
    { onNote: (text) => notes.push(text) },
  );
  await opened.close();
  expect(notes).toEqual([
    `Of adapter "${style}" the modules of unet are applied, and left are 1 of text_encoder.`,
  ]);
  await expect(changed(`${model}+transformer:${style}`)).rejects.toThrow(
    "it must have modules of that network: it has 1 of ",
  );
});

test("openCheckpoint() alone says which function opens both", async () => {
  await expect(openCheckpoint(`${at("base.safetensors")}+${at("lora")}`)).rejects.toThrow(
    "by openAdapted of @isthmus/merging",
  );
});

test("a head that is tied to the embedding follows it, though the file holds both", async () => {
  const names = ["embed_tokens.weight", "lm_head.weight"];
  const row = createTensor("f32", [2, 2], Float32Array.of(1, 2, 3, 4));
  await mkdir(at("tied"));
  await saveCheckpoint(
    createCheckpoint(Object.fromEntries(names.map((name) => [name, row]))),
    at("tied/model.safetensors"),
  );
  const save = async (key: string, shape: readonly number[], settings: object) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 7 + i);
    const path = at("adapter/adapter_model.safetensors");
    await mkdir(at("adapter"), { recursive: true });
    await saveCheckpoint(createCheckpoint({ [key]: createTensor("f32", shape, data) }), path, {
      overwrite: true,
    });
    await writeFile(
      at("adapter/adapter_config.json"),
      JSON.stringify({ peft_type: "LORA", r: 1, lora_alpha: 1, ...settings }),
    );
  };
  const adapted = async (tied: boolean) => {
    await writeFile(at("tied/config.json"), JSON.stringify({ tie_word_embeddings: tied }));
    const opened = await openAdapted({ model: at("tied"), adapter: at("adapter") });
    const rows = await Promise.all(names.map(async (name) => [...(await opened.read(name)).data]));
    await opened.close();
    return rows;
  };
  await save("base_model.model.embed_tokens.trainable_tokens_delta", [1, 2], {
    ...{ peft_type: "TRAINABLE_TOKENS", token_indices: [1] },
  });
  const [old, trained] = [
    [1, 2, 3, 4],
    [1, 2, 7, 8],
  ];
  expect([await adapted(true), await adapted(false)]).toEqual([
    [trained, trained],
    [trained, old],
  ]);
  // PEFT unties a matrix of modules_to_save.
  await save("base_model.model.lm_head.modules_to_save.default.weight", [2, 2], {});
  expect(await adapted(true)).toEqual([old, [7, 8, 9, 10]]);
  await save("base_model.model.score.weight", [3, 2], { modules_to_save: ["score"] });
  await expect(adapted(true)).rejects.toThrow('the head "score.weight" that the adapter holds whole');
});
