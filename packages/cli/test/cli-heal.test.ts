import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { randomWeights } from "@isthmus/graph";
import type { HealResult } from "@isthmus/merge-learning";
import { networkOfConfig } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killOnceRewritten } from "../../../test/helpers/kill-once-rewritten.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const CONFIG = {
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

let folder: string;
const at = (name: string) => join(folder, name);

/** Words of a healing of the first model by the others, on tokens of each. */
const command = (...rest: readonly string[]) => [
  ...["heal", at("merged"), "--from", at("a"), at("b"), "--data", `tokens:${at("a.bin")},u16`],
  ...["--data", `tokens:${at("b.bin")},u16`, "--eval-data", "none", "--steps", "40", "--batch", "4"],
  ...["--save-every", "2", "--threads", "1", "--lr", "0.01", ...rest],
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-heal-"));
  const { graph } = networkOfConfig(CONFIG);
  for (const [seed, name] of ["merged", "a", "b"].entries()) {
    mkdirSync(at(name));
    const weights = createCheckpoint(randomWeights(graph, seed));
    await saveCheckpoint(weights, at(name));
    writeFileSync(at(`${name}/config.json`), JSON.stringify(CONFIG));
    const ids = Uint16Array.from({ length: 200 }, (_, i) => (i * i * (seed + 1) + i) % 11);
    writeFileSync(at(`${name}.bin`), ids);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus heal", () => {
  it("goes on after it was killed, to the same bytes, and writes a model with a card", async () => {
    const whole = await runJson<HealResult>(command("-o", at("whole")));
    expect(whole).toMatchObject({ steps: 40, resumedAt: 0, recalibrated: false });
    for (const { before, after } of whole.experts) expect(after.divergence).toBeLessThan(before.divergence);
    const killed = await runAlone(command("-o", at("later")), {
      onStart: killOnceRewritten(at("later.state.safetensors")),
    });
    expect([killed.stdout, existsSync(at("later"))]).toEqual(["", false]);
    const refused = await runCli(command("-o", at("later")));
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining("must not replace an earlier"),
    ]);
    const resumed = await runJson<HealResult>(command("--resume", "-o", at("later")));
    expect(resumed.resumedAt).toBeGreaterThan(0);
    const weights = (name: string) => readFileSync(at(`${name}/model.safetensors`));
    expect(weights("later")).toEqual(weights("whole"));
    expect(existsSync(at("later.state.safetensors"))).toBe(false);
    expect(readFileSync(at("later/config.json"), "utf8")).toContain('"llama"');
    const card = readFileSync(at("later/README.md"), "utf8");
    expect(card).toContain(`Healed from \`${at("merged")}\` in 40 steps`);
    const healed = await openCheckpoint(at("later"));
    expect(JSON.stringify(healed.metadata)).toContain("heal");
    await healed.close();
  });

  it("says that it begins anew if there is no state to go on from", async () => {
    const { code, stderr } = await runCli(command("--resume", "--steps", "0", "-o", at("anew")));
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(`There is no state "${at("anew.state.safetensors")}": the work begins anew.\n`),
    ]);
  });

  it("refuses what it cannot do, before it begins", async () => {
    const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [command("--data", "mnist", "-o", at("x")), /3 values of --data as there must be one for all experts/],
      [command("--temperature", "0", "-o", at("x")), /--temperature/],
      [command("--only", "tail*", "-o", at("x")), /pattern "tail\*" as it must match/],
      [command("-o", at("a")), /Cannot/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runCli(args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
    expect(existsSync(at("x"))).toBe(false);
  });
});
