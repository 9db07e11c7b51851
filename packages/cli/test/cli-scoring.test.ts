import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";

// Files that test/golden/generate-scoring.py wrote, with what PyTorch computes.
const cwd = fileURLToPath(new URL("../../../test/fixtures/scoring/", import.meta.url));
const { losses } = JSON.parse(readFileSync(`${cwd}scores.json`, "utf8")) as {
  readonly losses: readonly number[];
};

/** Runs `barrier` between both networks by one of their graphs. */
const barrier = (graph: string, ...options: string[]) =>
  runCli(
    [
      ...["barrier", "a.safetensors", "b.safetensors", "--graph", `${graph}.onnx`],
      ...["--data", "safetensors:examples.safetensors", "--points", "3", "--json", ...options],
    ],
    { cwd },
  );

describe("isthmus barrier", () => {
  test.each([
    ["softmax-dynamo", [], /Output "softmax" is made by Softmax: "linear_1", which it is made of, is scored/],
    ["features-dynamo", [], /Output "linear_1" is scored; --logits chooses another: relu\./],
    ["sigmoid-dynamo", ["--logits", "linear_1"], /^$/],
    ["heads-dynamo", ["--logits", "linear_1"], /^$/],
  ])("scores %s as PyTorch does, and says what is scored", async (graph, options, said) => {
    const { code, stdout, stderr } = await barrier(graph, ...options);
    expect(code).toBe(0);
    expect(stderr).toMatch(said);
    const { points } = JSON.parse(stdout) as { readonly points: readonly { readonly loss: number }[] };
    points.forEach(({ loss }, i) => {
      expect(loss).toBeCloseTo(losses[i]!, 5);
    });
  });

  test.each([
    ["sigmoid-legacy", [], /is made by Sigmoid, whose loss is the binary cross-entropy of each class/],
    ["heads-legacy", [], /one output must be scored: .* fit equally; name one by --logits/],
    ["softmax-dynamo", ["--logits", "lost"], /Cannot score "lost" of graph .* must be one of its values/],
  ])("refuses %s %j, and says what to do", async (graph, options, message) => {
    const { code, stderr } = await barrier(graph, ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
