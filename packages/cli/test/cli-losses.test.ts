import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";

// Files that test/golden/generate-losses.py wrote, with what PyTorch computes at t = 0, 1/2 and 1.
const cwd = fileURLToPath(new URL("../../../test/fixtures/losses/", import.meta.url));
const golden = JSON.parse(readFileSync(`${cwd}losses.json`, "utf8")) as Readonly<
  Record<string, { readonly losses: readonly number[] }>
>;

const filesOf = (name: string, networks: number) => [
  ...["a", "b"].slice(0, networks).map((network) => `${name}-${network}.safetensors`),
  ...["--graph", `${name}-dynamo.onnx`, "--data", `safetensors:${name}.safetensors`],
];

interface Printed {
  readonly points: readonly { readonly loss: number; readonly error: number | null }[];
  readonly lossKind?: string;
  readonly lossUnit?: string;
}

describe("isthmus barrier --loss", () => {
  test.each([
    ["regression", "mean-absolute-error", "mean-absolute-error", "units"],
    ["autoencoder", "mean-squared-error", "mean-squared-error", "squared units"],
    ["encoder", "masked-token", "masked-token", "nats"],
    ["sigmoid", "binary-cross-entropy", "binary-cross-entropy", "nats"],
    ["heads", "labels=binary-cross-entropy,numbers=mean-squared-error", "several", undefined],
  ])("measures %s by %s as PyTorch does", async (name, loss, kind, unit) => {
    const line = ["barrier", ...filesOf(name, 2), "--points", "3", "--loss", loss];
    const { code, stdout, stderr } = await runCli([...line, "--json"], { cwd });
    expect([code, stderr.match(/Cannot.*/)?.[0]]).toEqual([0, undefined]);
    const { points, lossKind, lossUnit } = JSON.parse(stdout) as Printed;
    expect([lossKind, lossUnit]).toEqual([kind, unit]);
    const expected = golden[`${name} ${kind}`]?.losses ?? [];
    expect(expected).toHaveLength(3);
    points.forEach((point, i) => {
      expect(point.loss).toBeCloseTo(expected[i]!, 5);
    });
  });

  test("refuses a name of no loss with the names there are, and outputs that the graph lacks", async () => {
    const { code, stderr } = await runCli(["barrier", ...filesOf("regression", 2), "--loss", "hinge"], {
      cwd,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/'--loss <name>' .* must be cross-entropy, .*, none, or one of these for each/);
    const lost = await runCli(["barrier", ...filesOf("heads", 2), "--loss", "lost=cross-entropy"], { cwd });
    expect(lost.code).toBe(2);
    expect(lost.stderr).toMatch(/Cannot score output "lost" .* the outputs are "labels" .*, "numbers"/);
  });
});

describe("isthmus star --loss", () => {
  test("finds and measures a star of networks that approximate numbers, without judging predictions", async () => {
    const folder = await mkdtemp(join(tmpdir(), "isthmus-"));
    const line = ["star", ...filesOf("regression", 2), "--test-data", "safetensors:regression.safetensors"];
    const options = [
      "--epochs",
      "1",
      "--batch",
      "8",
      "--points",
      "3",
      "-o",
      join(folder, "star.safetensors"),
    ];
    const { code, stdout, stderr } = await runCli([...line, ...options], { cwd });
    expect([code, stderr.match(/Cannot.*/)?.[0]]).toEqual([0, undefined]);
    expect(stdout).not.toMatch(/NaN|\bECE\b|Brier/);
  });
});

describe("isthmus train --loss", () => {
  test("trains several outputs, and shows no accuracy that there is not", async () => {
    const folder = await mkdtemp(join(tmpdir(), "isthmus-"));
    const heads = "labels=binary-cross-entropy,numbers=mean-squared-error";
    const train = (name: string, loss: readonly string[]) => {
      const files = ["--graph", `${name}-dynamo.onnx`, "--from", `${name}-a.safetensors`, ...loss];
      const data = [
        "--data",
        `safetensors:${name}.safetensors`,
        "--eval-data",
        `safetensors:${name}.safetensors`,
      ];
      const options = ["--epochs", "1", "--batch", "8", "-o", join(folder, `${name}.safetensors`)];
      return runCli(["train", ...files, ...data, ...options], { cwd });
    };
    const [several, numbers] = [await train("heads", ["--loss", heads]), await train("regression", [])];
    expect([several.code, numbers.code]).toEqual([0, 0]);
    expect(several.stdout.split("\n")[0]).toBe("epoch    loss  eval loss");
    expect(numbers.stdout.split("\n")[0]).toBe("epoch  loss (squared units)  eval loss (squared units)");
    const { code, stderr } = await train("heads", ["--loss", "lost=mean-squared-error"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/Cannot score output "lost" of graph/)]);
  });
});

describe("text of a loss without errors", () => {
  test.each([
    ["barrier", 2, "--points 3", /loss \(units\)/],
    ["layers", 2, "--points 3", /barrier \(units\)/],
    ["path", 2, "--by halves", /Mean absolute error \(units\)/],
    ["dropout", 1, "--trials 1", /Loss \(units\)/],
    ["landscape", 1, "--points 3 --dimensions 1 --no-local", /units; it is/],
  ])(
    "isthmus %s names the unit, and no errors that were not measured",
    async (verb, networks, options, unit) => {
      const line = [verb, ...filesOf("regression", networks), "--loss", "mean-absolute-error"];
      const { code, stdout } = await runCli([...line, ...options.split(" ")], { cwd });
      expect(code).toBe(0);
      expect(stdout).toMatch(unit);
      expect(stdout).not.toMatch(/\bnats\b|NaN/);
    },
  );
});
