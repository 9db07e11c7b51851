import { excerpt, InputError, readJsonFile } from "@isthmus/core";
import type { DrawableResult } from "../result/drawable-result.ts";
import { findSizeProblems } from "./find-size-problems.ts";

/** Problems that one error lists. */
const SHOWN_PROBLEMS = 4;

/** Largest number that is drawn: beyond it, sums and differences of numbers are none any more. */
const MOST = 1e300;

/**
 * Reads a result that a verb printed with `--json`.
 * @throws InputError if the file cannot be read, or holds no result of a kind that can be drawn, or only a
 *   part of one
 * @throws FormatError if it is not JSON
 */
export async function readResult(path: string): Promise<DrawableResult> {
  const json = await readJsonFile(path);
  // Schemas take time to load, which drawing does not need.
  const { RESULT_SCHEMAS } = await import("./result-schema.ts");
  const kinds = Object.keys(RESULT_SCHEMAS).join(", ");
  const kind = (json as { kind?: unknown } | null)?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(RESULT_SCHEMAS, kind)) {
    const actual = kind === undefined ? "it has none" : `it is ${excerpt(kind)}`;
    throw new InputError(
      `Cannot draw "${path}" as the "kind" of a result must be one of ${kinds}: ${actual}; give a file that a verb wrote, or printed with --json`,
      { input: path },
    );
  }
  assertDrawable(json, path);
  const { data, error } = RESULT_SCHEMAS[kind as DrawableResult["kind"]].safeParse(json);
  const issues = error?.issues.map((issue) => `"${issue.path.map(String).join(".")}": ${issue.message}`);
  // The schemas describe the types, except for optional keys that are present and undefined: JSON has none.
  const problems = issues ?? findSizeProblems(data as DrawableResult);
  if (problems.length === 0) return data as DrawableResult;
  const shown = problems.slice(0, SHOWN_PROBLEMS);
  const more = problems.length - shown.length;
  throw new InputError(
    `Cannot draw "${path}" as it must be a whole result of kind "${kind}": ${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}`,
    { input: path },
  );
}

/** @throws InputError if a number somewhere is larger than any that axes and colours have room for */
function assertDrawable(value: unknown, path: string): void {
  if (typeof value === "number" && Math.abs(value) > MOST) {
    throw new InputError(
      `Cannot draw "${path}" as its numbers must be at most ${MOST} in size: one is ${value}`,
      { input: path },
    );
  }
  if (typeof value !== "object" || value === null) return;
  for (const entry of Object.values(value)) assertDrawable(entry, path);
}
