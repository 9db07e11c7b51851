import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SMALL_GPT2 } from "../../../../test/helpers/small-gpt2.ts";
import { networkOfConfig } from "./network-of-config.ts";
import { openModel } from "./open-model.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a model, its weights in shards of at most so many bytes. */
async function writeModel(name: string, maxShardBytes: number, config: object = SMALL_GPT2): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await writeFile(join(path, "config.json"), JSON.stringify(config));
  await saveCheckpoint(networkOfConfig(SMALL_GPT2).initialize(0), path, { maxShardBytes });
  return path;
}

describe("openModel()", () => {
  test.each([
    ["whole", Number.POSITIVE_INFINITY],
    ["shards", 4096],
  ])("openModel() opens a folder, %s", async (name, maxShardBytes) => {
    const path = await writeModel(name, maxShardBytes);
    const { network, checkpoint, configPath } = await openModel(path, { length: 4 });
    expect(network.modelType).toBe("gpt2");
    expect(network.graph.inputs[0]?.shape).toEqual(["N", 4]);
    expect(configPath).toBe(join(path, "config.json"));
    expect((await checkpoint.read("transformer.wpe.weight")).shape).toEqual([9, 16]);
    await checkpoint.close();
  });

  test("openModel() opens a file with its config beside it", async () => {
    const path = await writeModel("file", Number.POSITIVE_INFINITY);
    const { checkpoint } = await openModel(join(path, "model.safetensors"));
    await checkpoint.close();
  });

  test("openModel() says what is missing or does not fit", async () => {
    await expect(openModel(join(folder, "nothing"))).rejects.toThrow(/there is none$/);
    await expect(openModel("gpt/nano")).rejects.toThrow(
      /there is none; a model of the Hugging Face hub must be/,
    );
    const bare = join(folder, "bare");
    await mkdir(bare);
    await expect(openModel(bare)).rejects.toThrow(
      /config must lie beside the weights: there is no ".*config.json"; give a graph/,
    );
    await writeFile(join(bare, "config.json"), "{");
    await expect(openModel(bare)).rejects.toThrow(/as it must be JSON: /);
    await writeFile(join(bare, "config.json"), JSON.stringify(SMALL_GPT2));
    await expect(openModel(bare)).rejects.toThrow(/must hold safetensors files: it has none/);
    const other = await writeModel("other", 4096, { ...SMALL_GPT2, n_layer: 2 });
    await expect(openModel(other)).rejects.toThrow(/config.json" as the checkpoint must hold all weights/);
  });
});
