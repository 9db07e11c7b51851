import type { LossFields } from "@isthmus/graph";
import { type DrawableResult, describeResult, renderResultPage, renderTables } from "@isthmus/report";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "./barrier-curve.ts";
import { initializationResult, trajectoryResult } from "./landscape-result.ts";
import { OTHER_RESULTS } from "./other-results.ts";
import { takenApart } from "./taken-apart.ts";

/** Kinds whose numbers are of classes, of tables or of weights, whatever the loss. */
const OF_NO_LOSS: readonly string[] = [
  ...[
    "study",
    "comparison",
    "ensemble",
    "attack",
    "pareto",
    "intrinsic-dimension",
    "similarity",
    "mechanisms",
  ],
];

const { result: whole, decomposition } = takenApart(barrierCurve("", 1.387, true));
const RESULTS: readonly DrawableResult[] = [
  ...OTHER_RESULTS.filter(({ kind }) => !OF_NO_LOSS.includes(kind)),
  initializationResult(),
  trajectoryResult(),
  { ...barrierCurve("", 1.387, true).result, asGiven: whole, ...(decomposition && { decomposition }) },
];

/** Returns a result as a loss would have made it: its fields are beside examples, and errors may be none. */
function measuredBy<T>(value: T, fields: LossFields, hasErrors: boolean): T {
  const change = (part: unknown, isError = false): unknown => {
    if (typeof part === "number") return isError ? Number.NaN : part;
    if (Array.isArray(part)) return part.map((entry) => change(entry, isError));
    if (typeof part !== "object" || part === null) return part;
    const entries = Object.entries(part).map(([name, inner]) => [
      name,
      change(inner, isError || (!hasErrors && (name === "error" || name === "accuracy"))),
    ]);
    return { ...Object.fromEntries(entries), ...("examples" in part && "data" in part && fields) };
  };
  const { predictions: _, tempered: __, ...measured } = change(value) as Record<string, unknown>;
  return measured as T;
}

/** Returns all that a result says in words: its page, without the JSON in it, and its tables. */
async function textOf(result: DrawableResult): Promise<string> {
  const page = await renderResultPage({ title: "t", result });
  const tables = (await renderTables(result)).map(({ csv }) => csv).join("");
  return page.replaceAll(/<script[\s\S]*?<\/script>/g, "") + tables;
}

/** Returns what a result says but for the JSON in its page; columns of losses are in nats without saying so. */
async function wordsOf(result: DrawableResult): Promise<string> {
  const report = await describeResult(result);
  return JSON.stringify(report, (key, value) =>
    key === "data" || (key === "unit" && value === "nats") ? undefined : value,
  );
}

describe("units of losses", () => {
  it.each(RESULTS)("a $kind of squared errors names their unit, no nats and no error", async (result) => {
    const fields = { lossKind: "mean-squared-error", lossUnit: "squared units" };
    const squared = measuredBy(result, fields, false);
    const text = await textOf(squared);
    expect(text).toContain("squared units");
    expect(text).not.toMatch(/\bnats\b|NaN/);
    const { tiles, summary } = await describeResult(squared);
    expect(JSON.stringify([tiles, summary])).not.toMatch(/\bnats\b|NaN/);
  });

  it.each(RESULTS)("a $kind of a function names no unit", async (result) => {
    const text = await textOf(measuredBy(result, { lossKind: "function" }, false));
    expect(text).not.toMatch(/\bnats\b|NaN|\(\)|squared units/);
  });

  it.each(RESULTS)("a $kind of binary cross-entropy says what it says of classes", async (result) => {
    const binary = measuredBy(result, { lossKind: "binary-cross-entropy", lossUnit: "nats" }, true);
    expect(await wordsOf(binary)).toBe(await wordsOf(measuredBy(result, {}, true)));
  });
});
