import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const [a, b] = [join(NARROW_MLP, "s0.safetensors"), join(NARROW_MLP, "s1.safetensors")];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-search-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const RANGE = "{ weight: { search: [0, 1] } }";
const MODELS = `models:\n  - { model: ${a}, parameters: { weight: 1 } }\n  - { model: ${b}, parameters: ${RANGE} }\n`;

describe("isthmus search", () => {
  it("searches by a command, keeps scores in a journal, and writes the best with a page", async () => {
    write("r.yml", `merge_method: linear\n${MODELS}`);
    // The less of B, the better: its share decides the bytes of the metadata.
    write(
      "judge.mjs",
      `import { readFileSync } from "node:fs";
      const text = readFileSync(process.argv[2], "latin1");
      console.log("score", /\\\\"weight\\\\":([0-9.e-]+)\\}\\}\\]/.exec(text)?.[1] ?? "nan");`,
    );
    const args = ["search", "r.yml", "-o", "best.safetensors", "--evaluate", "node judge.mjs {}"];
    const result = await runJson(
      [...args, "--evaluations", "12", "--report", "s.html"],
      { cwd: folder },
      runAlone,
    );
    const { best, tables } = result as {
      best: { score: number; values: Record<string, number> };
      tables: { rows: unknown[] }[];
    };
    expect(tables[0]?.rows).toHaveLength(12);
    expect(best.score).toBeCloseTo(best.values["models.1.parameters.weight"] ?? Number.NaN, 6);
    expect(best.score).toBeLessThan(0.4);
    expect(readFileSync(join(folder, "s.html"), "utf8")).toMatch(/^<!doctype html>/);
    expect(existsSync(join(folder, ".best.candidate.safetensors"))).toBe(false);

    // The same search again takes all scores from the journal: the command is not run.
    rmSync(join(folder, "judge.mjs"));
    const again = await runJson([...args, "--evaluations", "12"], { cwd: folder });
    expect((again as { best: unknown }).best).toEqual(best);
    const verified = await runAlone(["verify", "best.safetensors"], { cwd: folder });
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining("the same, made again") });
  });

  it("runs beside another search of the same folder, but not beside one of the same output", async () => {
    write("r.yml", `merge_method: linear\n${MODELS}`);
    // Each waits until the candidates of both lie in the folder.
    write(
      "judge.mjs",
      `import { existsSync, writeFileSync } from "node:fs";
      import { setTimeout } from "node:timers/promises";
      writeFileSync(process.argv[2] + ".seen", "");
      while (![1, 2].every((i) => existsSync(\`.b\${i}.candidate.safetensors.seen\`))) await setTimeout(20);
      console.log(existsSync(process.argv[2]) ? 1 : "nan");`,
    );
    const search = (output: string, evaluate: string) =>
      runAlone(["search", "r.yml", "-o", output, "--evaluations", "4", "--evaluate", evaluate], {
        cwd: folder,
      });
    const first = search("b1.safetensors", "node judge.mjs {}");
    while (!existsSync(join(folder, ".b1.candidate.safetensors.seen"))) await setTimeout(20);
    const same = await search("b1.safetensors", "echo 1 {}");
    expect(same).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("wait for it, or choose another -o"),
    });
    const both = await Promise.all([first, search("b2.safetensors", "node judge.mjs {}")]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
  });

  it("chooses a method by the results of lm-eval, and says how often each won", async () => {
    write(
      "r.yml",
      `merge_method: { choose: [linear, slerp] }\nparameters: { t: { search: [0, 1] } }\nmodels:\n  - { model: ${a} }\n  - { model: { choose: [${a}, ${b}] } }\n`,
    );
    // Planted: slerp is better by far, as lm-eval says in a folder of the model.
    write(
      "judge.mjs",
      `import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
      const [, , model, output] = process.argv;
      const isSlerp = readFileSync(model, "latin1").includes('merge_method\\\\":\\\\"slerp');
      mkdirSync(output + "/m", { recursive: true });
      const results = { boolq: { "acc,none": isSlerp ? 0.75 : 0.25, "acc_stderr,none": "N/A" } };
      writeFileSync(output + "/m/results_1.json", JSON.stringify({ results, higher_is_better: { boolq: { acc: true } } }));`,
    );
    const args = [
      "search",
      "r.yml",
      "-o",
      "best.safetensors",
      "--lm-eval",
      "boolq:acc",
      "--evaluations",
      "14",
    ];
    const by = ["--evaluate", "node judge.mjs {} {results}", "--goal"];
    const found = await runAlone([...args, ...by, "maximize"], { cwd: folder });
    expect(found.stderr).not.toContain("no effect");
    expect(found.stdout).toMatch(/score +0\.75/);
    expect(found.stdout).toMatch(/merge_method +slerp \(linear won 0, slerp won 2\)/);
    const wrong = await runCli([...args, "--journal", "j", ...by, "minimize"], { cwd: folder });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("large scores are better") });
    const alone = await runCli(args, { cwd: folder });
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining("give --evaluate") });
  });

  it("goes on from scores only with the networks, the examples and the command that they are of", async () => {
    write("r.yml", `merge_method: linear\n${MODELS.replace(b, "own.safetensors")}`);
    cpSync(b, join(folder, "own.safetensors"));
    const args = ["search", "r.yml", "-o", "best.safetensors", "--journal", "j", "--evaluations", "4"];
    const graph = ["--graph", join(NARROW_MLP, "graph.onnx"), "--data"];
    const run = (...more: string[]) => runCli([...args, ...more], { cwd: folder });
    expect((await run(...graph, "mnist:test@20")).code).toBe(0);
    const journal = readFileSync(join(folder, "j"));
    const refused: (readonly [readonly string[], string])[] = [
      [[...graph, "mnist:test@21"], '"data" is '],
      [[...graph, "mnist:test@20", "--score", "error"], '"score" is "loss" there and "error" here'],
      [["--evaluate", "echo 1 {}"], 'it does not say "evaluate"'],
    ];
    for (const [more, said] of refused)
      expect(await run(...more)).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
    cpSync(a, join(folder, "own.safetensors"));
    const replaced = await run(...graph, "mnist:test@20");
    expect(replaced).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"digest of own.safetensors" is '),
    });
    expect(readFileSync(join(folder, "j"))).toEqual(journal);
  });

  it("refuses to judge in no way or in two, and recipes without ranges", async () => {
    write("r.yml", `merge_method: linear\n${MODELS}`);
    const none = await runCli(["search", "r.yml", "-o", "x.safetensors"], { cwd: folder });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("judged in one way") });
    write("plain.yml", `merge_method: linear\nmodels: [{ model: ${a} }, { model: ${b} }]\n`);
    const plain = await runCli(["search", "plain.yml", "-o", "x.safetensors", "--evaluate", "echo 1 {}"], {
      cwd: folder,
    });
    expect(plain).toMatchObject({ code: 2, stderr: expect.stringContaining("weight: { search: [0, 1] }") });
  });
});

describe("isthmus verify", () => {
  it("names the tensor and element that were changed, and exits with 1", async () => {
    write(
      "r.yml",
      `merge_method: slerp\nmodels: [{ model: ${a} }, { model: ${b} }]\nparameters: { t: 0.3 }\n`,
    );
    expect(
      (await runCli(["merge", "r.yml", "-o", "m.safetensors", "--hash-inputs"], { cwd: folder })).code,
    ).toBe(0);
    const path = join(folder, "m.safetensors");
    expect(await runCli(["verify", path], { cwd: folder })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/made by +Isthmus .* of s0\.safetensors, s1\.safetensors, seed 0/),
    });
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(await runCli(["verify", path], { cwd: folder })).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /differs +\S+: element \d+ is stored as[\s\S]*bits +the same are promised of processors only/,
      ),
    });
  });

  it("refuses what was not merged by a recipe", async () => {
    expect(await runCli(["verify", a])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("must have been merged by a recipe"),
    });
  });
});
