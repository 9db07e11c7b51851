import { readResult, renderFigures, renderResultPage, renderTables } from "@isthmus/report";
import { mapResult } from "../../../packages/barrier/test/map-result.ts";
import { barrierCurve } from "../../../packages/report/test/barrier-curve.ts";
import { comparisonResult } from "../../../packages/report/test/comparison-result.ts";
import { curvatureHistory, curvatureResult } from "../../../packages/report/test/curvature-result.ts";
import {
  attackResult,
  ensembleResult,
  paretoResult,
} from "../../../packages/report/test/ensemble-results.ts";
import { intrinsicDimensionResult } from "../../../packages/report/test/intrinsic-dimension-result.ts";
import {
  initializationResult,
  landscapeResult,
  trajectoryResult,
} from "../../../packages/report/test/landscape-result.ts";
import { mechanismsResult } from "../../../packages/report/test/mechanisms-result.ts";
import { pruneResult } from "../../../packages/report/test/prune-result.ts";
import {
  curveResult,
  layersResult,
  planeResult,
  starResult,
  studyResult,
} from "../../../packages/report/test/results.ts";
import { similarityResult } from "../../../packages/report/test/similarity-result.ts";
import { openJournal } from "../../../packages/tasks/src/journal.ts";
import { deepen } from "../bombs.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import type { FuzzTarget } from "../target.ts";
import { createJsonTarget } from "./symmetry-files.ts";

/** Makes results with other numbers, names and members, and draws them as pages, tables and figures. */
export function createResultTarget(): FuzzTarget {
  const results: readonly object[] = [
    barrierCurve("as trained", 1.387, true).result,
    curveResult(),
    layersResult(),
    planeResult(),
    mapResult(),
    starResult(),
    studyResult(),
    comparisonResult(),
    curvatureResult(),
    curvatureHistory(),
    ensembleResult(),
    attackResult(),
    paretoResult(),
    similarityResult(),
    mechanismsResult(),
    landscapeResult(1),
    trajectoryResult(),
    landscapeResult(3),
    initializationResult(),
    intrinsicDimensionResult(),
    pruneResult(),
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
