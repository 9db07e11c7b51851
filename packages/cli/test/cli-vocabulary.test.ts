import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createRandom, createTensor, saveCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-vocabulary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WIDTH = 64;
const COUNT = 700;

/** Saves a model with the tokens `t<first>` and so on, and random rows. */
async function save(name: string, first: number): Promise<void> {
  const random = createRandom(first, "rows");
  const data = Float32Array.from({ length: COUNT * WIDTH }, () => random.normal());
  const tensors = { "model.embed_tokens.weight": createTensor("f32", [COUNT, WIDTH], data) };
  mkdirSync(join(folder, name));
  await saveCheckpoint(createCheckpoint(tensors), join(folder, `${name}/`));
  const vocab = Object.fromEntries(Array.from({ length: COUNT }, (_, i) => [`t${first + i}`, i]));
  const write = (file: string, value: object) =>
    writeFileSync(join(folder, name, file), JSON.stringify(value));
  write("tokenizer.json", { added_tokens: [], model: { type: "WordLevel", vocab, unk_token: `t${first}` } });
  write("config.json", { vocab_size: COUNT, tie_word_embeddings: true });
}

beforeAll(async () => {
  await save("model", 0);
  await save("donor", 150);
});

const weightsIn = (name: string) => readFileSync(join(folder, name, "model.safetensors"));
const args = (...more: readonly string[]) => ["vocabulary", "model", "donor", "--neighbours", "48", ...more];

interface VocabularyJson {
  readonly shared: number;
  readonly fresh: number;
  readonly distances: readonly {
    readonly quantiles: readonly number[];
    readonly tokens: readonly { readonly token: string; readonly residual: number }[];
  }[];
}

describe("isthmus vocabulary", () => {
  it("writes a model, and lists how far each new token is", async () => {
    const result = await runJson<VocabularyJson>(args("-o", "made"), { cwd: folder });
    expect([result.shared, result.fresh]).toEqual([550, 150]);
    const [{ tokens = [], quantiles = [] } = {}] = result.distances;
    expect(tokens).toHaveLength(150);
    expect([quantiles.at(-1), quantiles[0]]).toEqual([tokens[0]?.residual, tokens.at(-1)?.residual]);
    expect(readdirSync(join(folder, "made")).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    expect(weightsIn("made").toString("latin1", 0, 400)).toContain('\\"verb\\":\\"vocabulary\\"');
  });

  it("says beforehand what it would do, and refuses what it cannot write or measure", async () => {
    const dry = await runCli(args("--dry-run"), { cwd: folder });
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringMatching(/^copied +550 rows, 78\.6 %/m)]);
    const none = await runCli(args(), { cwd: folder });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("-o must name the folder")]);
    const own = await runCli(args("-o", "donor"), { cwd: folder });
    expect([own.code, own.stderr]).toEqual([2, expect.stringContaining("donor")]);
    const ids = await runCli(args("-o", "x", "--data", "mnist"), { cwd: folder });
    expect([ids.code, ids.stderr]).toEqual([2, expect.stringContaining("--data must be text:FILE")]);
  });

  it("goes on after it was killed, and writes the same bytes", async () => {
    const small = (name: string) => args("-o", name, "--memory", "16MiB");
    await runCli(small("whole"), { cwd: folder });
    const killed = await runAlone(small("killed"), {
      cwd: folder,
      onStart(child) {
        const path = join(folder, "killed");
        const watch = setInterval(() => {
          const isBegun = existsSync(path) && readdirSync(path).some((name) => name.endsWith(".bin"));
          if (child.exitCode === null && !isBegun) return;
          clearInterval(watch);
          child.kill("SIGKILL");
        }, 1);
      },
    });
    expect(killed.code).not.toBe(0);
    const again = await runCli(small("killed"), { cwd: folder });
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("Going on with")]);
    expect(weightsIn("killed").equals(weightsIn("whole"))).toBe(true);
    expect(readdirSync(join(folder, "killed")).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
