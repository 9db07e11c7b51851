import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createRandom, createTensor, saveCheckpoint } from "@isthmus/core";
import { randomWeights } from "@isthmus/graph";
import { networkOfConfig } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

const CONFIG = {
  ...{ model_type: "mixtral", architectures: ["MixtralForCausalLM"], vocab_size: 30, hidden_size: 8 },
  ...{ intermediate_size: 6, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 },
  ...{ num_local_experts: 3, num_experts_per_tok: 2, max_position_embeddings: 8 },
};

const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-experts-"));
const texts = [0, 1, 2].flatMap((text) => ["--data", `tokens:text-${text}.bin`]);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const weights = randomWeights(networkOfConfig(CONFIG).graph, 1);
  const name = "model.embed_tokens.weight";
  // Words of each text have a direction of their own.
  const words = Float32Array.from(weights.get(name)!.data, Number);
  for (let word = 0; word < 30; word++) words[word * 8 + Math.floor(word / 10)]! += 4;
  weights.set(name, createTensor("f32", [30, 8], words));
  await saveCheckpoint(createCheckpoint(weights), join(folder, "mixture/model.safetensors"));
  writeFileSync(join(folder, "mixture/config.json"), JSON.stringify(CONFIG));
  for (let text = 0; text < 3; text++) {
    const random = createRandom(text);
    const ids = Uint16Array.from({ length: 300 }, () => 10 * text + random.integer(10));
    writeFileSync(join(folder, `text-${text}.bin`), ids);
  }
});

interface ExpertsJson {
  readonly losses: readonly number[];
  readonly lossesAfter?: readonly number[];
  readonly layers: readonly { readonly shares: readonly (readonly number[])[]; readonly active: number }[];
  readonly routers?: readonly { readonly accuracy: number }[];
  readonly reduced?: readonly { readonly groups: readonly unknown[] }[];
  readonly outputs?: readonly string[];
}

const json = (...args: string[]) =>
  runJson<ExpertsJson>(["experts", "mixture", ...texts, ...args], { cwd: folder });

describe("isthmus experts", () => {
  it("shows losses and the use of experts, and writes nothing unless asked to", async () => {
    const { losses, layers, outputs } = await json();
    expect(losses).toHaveLength(3);
    for (const { shares, active } of layers) {
      expect(active).toBe(2);
      for (const own of shares) expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    }
    expect(outputs).toBeUndefined();
    const { stdout } = await runCli(["experts", "mixture", ...texts], { cwd: folder });
    expect(stdout).toMatch(/layer +text +0 +1 +2 +entropy +balance +capacity +dropped/);
  });

  it("finds routers, makes fewer experts, and measures what it has written", async () => {
    const { routers, reduced, lossesAfter, layers } = await json(
      "--fit-routers",
      "--reduce",
      "2",
      "-o",
      "out",
    );
    for (const { accuracy } of routers ?? []) expect(accuracy).toBeGreaterThan(0.9);
    expect(reduced?.map(({ groups }) => groups.length)).toEqual([2, 2]);
    expect(lossesAfter).toHaveLength(3);
    expect(layers[0]?.shares[0]).toHaveLength(2);
    const config = JSON.parse(readFileSync(join(folder, "out/config.json"), "utf8"));
    expect(config).toEqual({ ...CONFIG, num_local_experts: 2 });
  });

  it("refuses what contradicts itself, and models without experts", async () => {
    const fails = async (args: readonly string[], message: RegExp) =>
      expect(await runCli(["experts", "mixture", ...texts, ...args], { cwd: folder })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(message),
      });
    await fails(["--fit-routers"], /add -o FOLDER/);
    await fails(["-o", "out2"], /nothing of it is changed/);
    await fails(["--ridge", "1"], /--ridge without --fit-routers/);
    await fails(["--reduce", "4", "-o", "out2"], /from 1 to 3.*it is 4/);
    const one = await runCli(["experts", "mixture", ...texts.slice(2), "--fit-routers", "-o", "out2"], {
      cwd: folder,
    });
    expect(one.stderr).toMatch(/one text for each of the 3 experts/);
  });
});
