import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";

let folder: string;
const inFolder = () => ({ cwd: folder });
const command = (output: string, ...rest: readonly string[]) => [
  ...["tune-merge", "recipe.yml", "--graph", "graph.onnx", "--data", "safetensors:data.safetensors:train"],
  ...["--objective", "loss", "--by", "tensor", "--batch", "10", "-o", output, ...rest],
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-tune-merge-"));
  const images = randomExamples([1, 8, 8], { size: 30, classes: 4 });
  await saveExamples(images, join(folder, "data.safetensors"));
  const { graph, initialize } = parseNetwork("mlp:8", images);
  writeFileSync(join(folder, "graph.onnx"), encodeGraph(graph));
  const base = initialize(0);
  for (const [seed, name] of ["base", "a", "b"].entries()) {
    const network = seed === 0 ? base : lerp(base, initialize(seed), 0.2);
    await saveCheckpoint(network, join(folder, `${name}.safetensors`));
  }
  const models = "models: [{ model: a.safetensors }, { model: b.safetensors }]\n";
  writeFileSync(
    join(folder, "recipe.yml"),
    `merge_method: task_arithmetic\nbase_model: base.safetensors\n${models}`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus tune-merge", () => {
  it("writes a recipe that isthmus merge runs", async () => {
    const found = await runJson(command("tuned.yml", "--steps", "20", "--lr", "0.05"), inFolder());
    expect(found).toMatchObject({ objective: "loss", by: "tensor", models: ["a", "b"], steps: 20 });
    const text = readFileSync(join(folder, "tuned.yml"), "utf8");
    expect(text).toMatch(/^# Weights by tensor that isthmus tune-merge found for recipe\.yml/);
    expect(text).toMatch(/filter: layers\.0\.weight, value: [\d.]+ /);
    const merged = await runCli(["merge", "tuned.yml", "-o", "merged.safetensors"], inFolder());
    expect([merged.code, merged.stderr]).toEqual([0, expect.not.stringContaining("warning")]);
  });

  it("lists what it would learn, and what it cannot", async () => {
    const { stdout } = await runCli(command("dry.yml", "--dry-run"), inFolder());
    expect(stdout).toContain("8 weights would be learned");
    expect(existsSync(join(folder, "dry.yml"))).toBe(false);
    const refusals: readonly (readonly [readonly string[], string])[] = [
      [command("merged.safetensors"), "-o must name a file ending in .yml"],
      [command("recipe.yml"), "recipe.yml"],
      [
        command("x.yml", "--graph", "a.onnx", "--graph", "b.onnx"),
        "3 values of --graph as there must be one for all data sets",
      ],
    ];
    for (const [args, message] of refusals) {
      const { code, stderr } = await runCli(args, inFolder());
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  });

  it("goes on after it was killed, and writes the same bytes", async () => {
    const steps = ["--steps", "1500", "--lr", "0.01"];
    await runCli(command("whole.yml", ...steps), inFolder());
    const state = join(folder, "killed.state.safetensors");
    const killed = await runAlone(command("killed.yml", ...steps), {
      ...inFolder(),
      onStart(child) {
        const watch = setInterval(() => {
          if (child.exitCode === null && !existsSync(state)) return;
          clearInterval(watch);
          child.kill("SIGKILL");
        }, 1);
      },
    });
    expect(killed.code).not.toBe(0);
    const again = await runCli(command("killed.yml", ...steps, "--resume"), inFolder());
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/It went on from step \d+/)]);
    const textOf = (name: string) => readFileSync(join(folder, name), "utf8");
    expect(textOf("killed.yml")).toBe(textOf("whole.yml"));
    expect(readdirSync(folder).filter((name) => name.includes("killed"))).toEqual(["killed.yml"]);
  });
});
