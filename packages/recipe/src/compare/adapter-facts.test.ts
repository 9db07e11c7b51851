import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { applyAdapter, openAdapter } from "@isthmus/merging";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { findOtherBases } from "./adapter-facts.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const square = () => createTensor("f32", [2, 2], Float32Array.of(1, 2, 3, 4));

/** Writes a model with a config, and an adapter of it with settings, and applies the adapter. */
async function adapted(
  base: string,
  config: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>>,
) {
  const [model, lora] = [join(folder, base), join(folder, "lora")];
  for (const path of [model, lora]) mkdirSync(path, { recursive: true });
  await saveCheckpoint(createCheckpoint({ "q.weight": square() }), model, { overwrite: true });
  writeFileSync(join(model, "config.json"), JSON.stringify(config));
  const factors = {
    "base_model.model.q.lora_A.weight": square(),
    "base_model.model.q.lora_B.weight": square(),
  };
  await saveCheckpoint(createCheckpoint(factors), join(lora, "adapter_model.safetensors"), {
    overwrite: true,
  });
  const all = { peft_type: "LORA", r: 2, lora_alpha: 2, ...settings };
  writeFileSync(join(lora, "adapter_config.json"), JSON.stringify(all));
  return applyAdapter(await openCheckpoint(model), await openAdapter(lora));
}

describe("findOtherBases()", () => {
  it.each<[string, string, Readonly<Record<string, unknown>>, string]>([
    ["its folder", "Llama-7b", {}, "meta/llama-7b"],
    ["its name in the config", "mine", { _name_or_path: "meta/llama-7b" }, "meta/Llama-7b"],
    ["its name in the cache of the hub", "models--meta--llama-7b/snapshots/1", {}, "meta/llama-7b"],
    ["its path", "runs/base", {}, "elsewhere/base/"],
  ])("is content with a base that is known by %s", async (_, base, config, stated) => {
    const network = await adapted(base, config, { base_model_name_or_path: stated });
    expect(await findOtherBases([network])).toEqual([]);
  });

  it("warns of another name and another class, also within a network that is computed", async () => {
    const config = { architectures: ["LlamaForCausalLM"] };
    const other = await adapted("mine", config, { base_model_name_or_path: "qwen/qwen-7b" });
    const [plain] = other.inputs;
    expect(await findOtherBases([plain ?? other, { ...other, inputs: [other], source: "linear" }])).toEqual([
      {
        ...{ kind: "adapter", severity: "warning", networks: [1] },
        message: expect.stringMatching(
          /lora.* says that it was made for "qwen\/qwen-7b": it changes ".*mine"/,
        ),
        advice: expect.stringContaining("ignore this"),
      },
    ]);
    const mapping = { auto_mapping: { base_model_class: "Qwen2Model" } };
    expect(await findOtherBases([await adapted("mine", config, mapping)])).toMatchObject([
      { severity: "warning", message: expect.stringContaining("other architectures: Qwen2 and Llama") },
    ]);
  });

  it("takes another architecture in metadata of GGUF for an error", async () => {
    const network = await adapted("mine", {}, {});
    const [base, adapter] = network.inputs;
    if (base === undefined || adapter === undefined) throw new Error("two inputs");
    const named = (architecture: string) => ({ "general.architecture": architecture });
    const inputs = [
      { ...base, metadata: named("llama") },
      { ...adapter, metadata: named("gpt2") },
    ];
    expect(await findOtherBases([{ ...network, inputs }])).toMatchObject([
      { kind: "model-types", severity: "error", message: expect.stringContaining("gpt2 and llama") },
    ]);
  });
});
