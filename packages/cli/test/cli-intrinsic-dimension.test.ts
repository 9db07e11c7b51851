import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IntrinsicDimensionResult } from "@isthmus/subspace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const command = (...rest: readonly string[]) => [
  ...["intrinsic-dimension", "--net", "mlp:12", "--epochs", "8", "--batch", "20", "--runs", "2"],
  ...["--lr", "0.02", "--first", "30", "--resolution", "1", "--threads", "1"],
  ...["--data", `safetensors:${at("train.safetensors")}`, ...rest],
];
const evaluated = () => ["--eval-data", `safetensors:${at("test.safetensors")}`];

async function write(name: string, size: number, seed: number): Promise<void> {
  await saveExamples(stripes(size, seed), at(name));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-dimension-"));
  await write("train.safetensors", 100, 0);
  await write("test.safetensors", 50, 1);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus intrinsic-dimension", () => {
  test("writes what measureIntrinsicDimension() returns, and goes on from its journal to the same", async () => {
    const [file, journal] = [at("result.json"), at("run.journal.json")];
    const words = command(...evaluated(), "--seed", "3", "--journal", journal, "-o", file);
    const printed = await runJson<IntrinsicDimensionResult>(words);
    expect(printed).toMatchObject({
      ...{ kind: "intrinsic-dimension", network: "mlp:12", parameters: 243, seeds: [3, 4] },
      ...{ optimizer: "adam", learningRate: 0.1, baselineLearningRate: 0.02, projection: "fastfood" },
      ...{ examples: 100, evaluationExamples: 50 },
    });
    const written = readFileSync(file, "utf8");
    expect(JSON.parse(written)).toMatchObject({
      points: printed.points,
      provenance: { command: expect.stringMatching(/^isthmus intrinsic-dimension --net mlp:12 .* --seed 3/) },
    });
    await runCli(words);
    expect(readFileSync(file, "utf8")).toBe(written);
  });

  test("prints a chart and a table, and writes the page that isthmus report makes", async () => {
    const [page, file, again] = [at("page.html"), at("drawn.json"), at("again.html")];
    const { code, stdout } = await runCli(command(...evaluated(), "--report", page, "-o", file));
    expect(code).toBe(0);
    expect(stdout).toMatch(/Dimension, on a logarithmic scale/);
    expect(stdout).toMatch(/^accuracy to reach: \d+\.\d+ % \(90 % of \d+\.\d+ %; 2 full trainings/m);
    expect(stdout).toMatch(/^parameters: 243 /m);
    expect(stdout).toMatch(/^Dimension +Accuracy +Lowest +Highest +Reaches the line$/m);
    expect(stdout).toMatch(/^ +30( +\d+\.\d+ %){3} +(yes|no)$/m);
    expect(stdout).toMatch(/^subspace +30 +1 +\d+\.\d+ % +\d/m);
    expect(readFileSync(page, "utf8")).toContain('id="figure-accuracy"');
    expect((await runCli(["report", file, "-o", again])).code).toBe(0);
    const mainOf = (html: string) => /<header>.*<h2 id="method"/s.exec(html)?.[0];
    expect(mainOf(readFileSync(again, "utf8"))).toBe(mainOf(readFileSync(page, "utf8")));
    expect((await runCli(["report", file])).stdout).toMatch(/^parameters: 243 /m);
  });

  test("measures labels that are learned by heart, if they are shuffled", async () => {
    const result = await runJson<IntrinsicDimensionResult>(
      command("--shuffle-labels", "--most", "30", "--runs", "1"),
    );
    expect(result.data).toMatch(/with shuffled labels$/);
    expect(result.evaluationData).toBe(result.data);
  });

  test("says in words and on the page that nothing was learned", async () => {
    const page = at("chance.html");
    const still = ["--lr", "1e-9", "--epochs", "1", "--runs", "1", "--first", "1", "--most", "1"];
    const { stdout } = await runCli(command(...evaluated(), ...still, "--report", page));
    expect(stdout).toMatch(/^Full training learned hardly anything: .* d_90 means nothing; train longer/m);
    expect(stdout).toMatch(/^The untrained network, in 0 dimensions, already reaches the line/m);
    expect(stdout).toMatch(/^none +0 +0 +\d+\.\d+ %/m);
    expect(readFileSync(page, "utf8")).toContain("Full training learned hardly anything");
  });

  test("refuses what cannot be measured, before it trains", async () => {
    for (const [words, message] of [
      [[], /name them with --eval-data/],
      [[...evaluated(), "--most", "244"], /at most the 243 trained parameters: it is 244/],
      [
        [...evaluated(), "--first", "99999999"],
        /"first" must be from .* to the largest, 243: it is 99999999/,
      ],
      [[...evaluated(), "--freeze", "*"], /all are frozen/],
      [[...evaluated(), "--sam"], /with optimizer "sam"/],
      [[...evaluated(), "--projection", "full"], /Allowed choices are dense, sparse, fastfood/],
      [[...evaluated(), "--report", at("page.txt")], /its name must end in \.html/],
    ] as const) {
      const { code, stderr } = await runCli(command(...words, "--journal", at("none.json")));
      expect(code).not.toBe(0);
      expect(stderr).toMatch(message);
      expect(existsSync(at("none.json"))).toBe(false);
    }
  });
});
