import { listMeasurements } from "@isthmus/measurements";
import { readLmEval } from "@isthmus/recipe";
import { readResult, renderFigures, renderResultPage, renderTables } from "@isthmus/report";
import { barrierCurve } from "../../../packages/report/test/barrier-curve.ts";
import {
  initializationResult,
  landscapeResult,
  trajectoryResult,
} from "../../../packages/report/test/landscape-result.ts";
import { OTHER_RESULTS } from "../../../packages/report/test/other-results.ts";
import { openJournal } from "../../../packages/tasks/src/journal.ts";
import { deepen } from "../bombs.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import type { FuzzTarget } from "../target.ts";
import { createJsonTarget } from "./symmetry-files.ts";

/** Makes results with other numbers, names and members, and draws them as pages, tables and figures. */
export function createResultTarget(): FuzzTarget {
  const kinds = new Set<string>(OTHER_RESULTS.map(({ kind }) => kind));
  const lacking = listMeasurements().filter(({ kind }) => !kinds.has(kind));
  if (lacking.length > 0) {
    throw new Error(
      `packages/report/test/other-results.ts lacks ${lacking.map(({ kind }) => kind).join(", ")}`,
    );
  }
  const results: readonly object[] = [
    barrierCurve("as trained", 1.387, true).result,
    ...OTHER_RESULTS,
    landscapeResult(1),
    landscapeResult(3),
    trajectoryResult(),
    initializationResult(),
  ].map((result) => JSON.parse(JSON.stringify(result)) as object);
  const { read, ...target } = createJsonTarget({ name: "result", document: {} }, async (path) => {
    const result = await readResult(path);
    await renderResultPage({ title: "t", result });
    renderTables(result);
    await renderFigures(result);
  });
  return {
    ...target,
    valid: () => results.map((result) => ({ "x.json": JSON.stringify(result) })),
    *bombs() {
      for (const result of results) for (const text of deepen(result)) yield { "x.json": text };
    },
    make: (dice) => ({ "x.json": writeJson(dice, mutateJson(dice, dice.pick(results))) }),
    read,
  };
}

/** Makes journals of measurements with other pieces, and goes on from them. */
export function createJournalTarget(): FuzzTarget {
  const run = { kind: "plane", points: 3, seed: 0 };
  const pieces = { a: [1, 2, "NaN"], b: [], c: [0.5] };
  const document = { format: "isthmus journal", version: 1, run, pieces };
  return createJsonTarget({ name: "journal", document }, async (path) => {
    const journal = await openJournal(path, run);
    if (journal.has("a")) await journal.get("a", async () => []);
  });
}

/** Makes results of lm-eval with other tasks, metrics and directions, and reads scores of them. */
export function createLmEvalTarget(): FuzzTarget {
  const document = {
    results: { t: { alias: "t", "acc,none": 0.5, "acc_stderr,none": "N/A" }, u: { "acc,none": 1 } },
    higher_is_better: { t: { acc: true } },
  };
  const tasks = [{ task: "t" }, { task: "u", metric: "acc", weight: 2 }];
  return createJsonTarget({ name: "lm-eval", document }, async (path) => {
    await readLmEval(path, { tasks, goal: "maximize" });
  });
}
