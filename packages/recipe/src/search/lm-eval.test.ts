import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { NARROW_MLP } from "../../../../test/helpers/narrow-mlp.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import { judgeByCommand } from "./judges.ts";
import { type LmEvalTask, parseLmEvalTask, readLmEval } from "./lm-eval.ts";
import { searchMerge } from "./search-merge.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Results in the form of lm-eval 0.4, shortened. */
const RESULTS = {
  results: {
    arc_easy: {
      alias: "arc_easy",
      "acc,none": 0.5,
      "acc_stderr,none": 0.01,
      "acc_norm,none": 0.75,
      "acc_norm_stderr,none": "N/A",
    },
    gsm8k: { alias: "gsm8k", "exact_match,strict-match": 0.1, "exact_match,flexible-extract": 0.3 },
    wikitext: { alias: "wikitext", "word_perplexity,none": 12.5, "word_perplexity_stderr,none": "N/A" },
  },
  higher_is_better: { arc_easy: { acc: true, acc_norm: true }, wikitext: { word_perplexity: false } },
  config: { model: "hf" },
};

async function write(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("readLmEval()", () => {
  test.each<[readonly LmEvalTask[], number]>([
    [[{ task: "arc_easy" }], 0.5],
    [[{ task: "arc_easy", metric: "acc_norm" }], 0.75],
    [[{ task: "wikitext" }], 12.5],
    [[{ task: "gsm8k", metric: "exact_match,flexible-extract" }], 0.3],
    [[{ task: "arc_easy" }, { task: "gsm8k", metric: "exact_match,strict-match", weight: 3 }], 0.2],
  ])("averages %j", async (tasks, score) => {
    expect(await readLmEval(await write("r.json", RESULTS), { tasks })).toBeCloseTo(score, 12);
  });

  test("takes of a folder the latest results of a task, in folders of models as well", async () => {
    await write("out/org__model/results_2026-01-02T10-00-00.json", RESULTS);
    await write("out/results_2026-01-01T10-00-00.json", { results: { arc_easy: { "acc,none": 0 } } });
    await write("out/results_2026-01-03T10-00-00.json", { results: { boolq: { "acc,none": 1 } } });
    await write("out/org__model/samples_arc_easy.jsonl", "{}");
    const tasks = [{ task: "arc_easy" }, { task: "boolq" }];
    expect(await readLmEval(join(folder, "out"), { tasks })).toBe(0.75);
  });

  test("gives NaN where lm-eval has none, and refuses what is no number", async () => {
    const nan = await write("n.json", '{"results": {"t": {"acc,none": NaN}}}');
    expect(await readLmEval(nan, { tasks: [{ task: "t" }] })).toBeNaN();
    const text = await write("t.json", { results: { t: { "acc,none": "0.5" } } });
    await expect(readLmEval(text, { tasks: [{ task: "t" }] })).rejects.toThrow(
      'must be a number: it is "0.5"',
    );
  });

  test.each<[LmEvalTask, string]>([
    [{ task: "arc_easi" }, 'did you mean "arc_easy"?'],
    [{ task: "gsm8k" }, "its metric must be named: it has exact_match,strict-match and"],
    [{ task: "gsm8k", metric: "exact_match" }, "one filter must be named"],
    [{ task: "arc_easy", metric: "acc_nrom" }, "did you mean"],
    [{ task: "wikitext" }, "small scores are better, the results say: search with the goal minimize"],
    [{ task: "__proto__" }, "must have it"],
  ])("says what is wrong with %j", async (task, said) => {
    const path = await write("r.json", RESULTS);
    await expect(readLmEval(path, { tasks: [task], goal: "maximize" })).rejects.toThrow(said);
  });

  test("refuses what is not of lm-eval, whatever JSON it is", async () => {
    await mkdir(join(folder, "none"));
    const tasks = [{ task: "t" }];
    await expect(readLmEval(join(folder, "none"), { tasks })).rejects.toThrow(
      "there is none; give the command",
    );
    await expect(readLmEval(join(folder, "absent.json"), { tasks })).rejects.toThrow(/absent\.json/);
    const deep = await write("deep.json", `{"results":${"[".repeat(1e5)}`);
    await expect(readLmEval(deep, { tasks })).rejects.toThrow("nested deeper");
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        const path = await write("any.json", `{"results":{"t":${json}}}`);
        const score = await readLmEval(path, { tasks }).catch((error: Error) => error.message);
        expect(typeof score === "number" || /^Cannot read/.test(score)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

test("parseLmEvalTask() reads a task, a metric with its filter, and a weight", () => {
  expect(parseLmEvalTask("boolq")).toEqual({ task: "boolq" });
  expect(parseLmEvalTask("gsm8k:exact_match,strict-match=.5")).toEqual({
    ...{ task: "gsm8k", metric: "exact_match,strict-match", weight: 0.5 },
  });
  for (const text of ["", ":acc", "a:", "a=0", "a=x", "a:b=-1"])
    expect(() => parseLmEvalTask(text)).toThrow(`the task of lm-eval "${text}"`);
});

test("a search reads what its command wrote for lm-eval, and leaves nothing behind", async () => {
  const path = join(folder, "candidate.safetensors");
  await write("lm_eval.mjs", LM_EVAL);
  const recipe = parseRecipe(
    `merge_method: linear\nparameters: { weight: { search: [0, 1] } }\nmodels: [{ model: ${NARROW_MLP}/s0.safetensors }]`,
  );
  const command = `node ${join(folder, "lm_eval.mjs")} {} {results}`;
  const options = { tasks: [{ task: "boolq" }], goal: "maximize" } as const;
  const judge = judgeByCommand(command, path, options);
  const { best } = await searchMerge(recipe, { judge, evaluations: 4, goal: "maximize" });
  expect(best.score).toBe(0.875);
  expect(existsSync(path) || existsSync(`${path}.results`)).toBe(false);
  expect(() => judgeByCommand("lm_eval {}", path, options)).toThrow("by {results}");
});

/** Writes results as lm-eval does: into a folder of the model in the folder that it is given. */
const LM_EVAL = `
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
const [, , model, output] = process.argv;
if (!existsSync(model) || existsSync(output)) process.exit(1);
mkdirSync(output + "/model", { recursive: true });
const results = { boolq: { "acc,none": 0.875 } };
writeFileSync(output + "/model/results_2026.json", JSON.stringify({ results, higher_is_better: { boolq: { acc: true } } }));
`;
