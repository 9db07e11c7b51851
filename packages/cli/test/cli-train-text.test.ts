import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BarrierResult } from "@isthmus/barrier";
import type { TrainResult } from "@isthmus/training";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { markovText, unigramEntropy } from "../../../test/helpers/markov-text.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

interface CliTrainResult extends TrainResult {
  readonly network: string;
  readonly data: string;
  readonly evaluationData: string | null;
}

const text = markovText(12_000, 5);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-text-"));
  writeFileSync(join(folder, "a.txt"), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const how = [
  "--data",
  "text:a.txt",
  "--batch",
  "16",
  "--optimizer",
  "adamw",
  "--lr",
  "0.01",
  "--epochs",
  "3",
];

describe("isthmus train on a text", () => {
  it("isthmus train cuts texts to the network's context, and evaluates on their last tenth", async () => {
    const json = (...args: string[]) => runJson<CliTrainResult>(["train", ...args], { cwd: folder });
    const made = await json("--net", "gpt:d1:w32:h4:c24", ...how, "-o", "gpt.safetensors");
    expect(made).toMatchObject({
      network: "gpt:d1:w32:h4:c24",
      data: "text:a.txt:train",
      evaluationData: "text:a.txt:test",
    });
    expect(made.evaluation?.loss).toBeLessThan(unigramEntropy(text));

    const tuning = ["--graph", "gpt.onnx", "--from", "gpt.safetensors", ...how, "-o", "tuned.safetensors"];
    const tuned = await json(...tuning);
    expect(tuned.evaluation?.loss).toBeLessThan(made.evaluation?.loss ?? 0);

    const between = await runJson<BarrierResult>(
      ["barrier", "gpt.safetensors", "tuned.safetensors", "--graph", "gpt.onnx", "--data", "text:a.txt:test"],
      { cwd: folder },
    );
    const losses = between.points.map(({ loss }) => loss);
    // Batches differ, and so may the rounding of f32 logits.
    expect(losses[0]).toBeCloseTo(made.evaluation?.loss ?? Number.NaN, 5);
    expect(losses.at(-1)).toBeCloseTo(tuned.evaluation?.loss ?? Number.NaN, 5);
  });

  it("isthmus train says which networks there are, and what texts need", async () => {
    const run = (...args: string[]) => runCli(["train", ...args, "-o", "x.safetensors"], { cwd: folder });
    const unknown = await run("--net", "gpd:d1", ...how);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/there is none of the name "gpd"; a network is one of mlp:<widths>/);
    const long = await run("--net", "gpt:d1:w32:h4:c20000", ...how);
    expect(long.stderr).toMatch(/must have at least 20001 tokens .*: it has \d+/);
    const image = await run("--net", "resnet20", ...how);
    expect(image.stderr).toMatch(/for examples \[64\] as they must be images/);
  });
});
