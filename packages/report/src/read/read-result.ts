import { excerpt, InputError, readJsonFile } from "@isthmus/core";
import type { DrawableResult } from "../result/drawable-result.ts";
import { listResultKinds, loadResultKind } from "../result/result-kinds.ts";

/** Maximum number of problems that one error lists. */
const SHOWN_PROBLEMS = 4;

/** Largest number that can be drawn: with larger ones, sums and differences may overflow. */
const MOST = 1e300;

/**
 * Reads a result that a verb printed with `--json`.
 * @throws InputError if the file cannot be read, or contains no drawable result, or only a part of one
 * @throws FormatError if the file is not JSON
 */
export async function readResult(path: string): Promise<DrawableResult> {
  const json = await readJsonFile(path);
  const named = (json as { kind?: unknown } | null)?.kind;
  const kind = typeof named === "string" ? await loadResultKind(named) : undefined;
  if (kind === undefined) {
    const actual = named === undefined ? "it has none" : `it is ${excerpt(named)}`;
    throw new InputError(
      `Cannot draw "${path}" as the "kind" of a result must be one of ${listResultKinds().join(", ")}: ${actual}; give a file that a verb wrote, or printed with --json; if it is of a measurement of your own, name that by --use`,
      { input: path },
    );
  }
  assertDrawable(json, path);
  // Schemas take time to load, and drawing does not need them.
  const { MADE_RESULT } = await import("@isthmus/findings/forms");
  const { data, error } = (await kind.form()).safeParse(json);
  const issues = (error ?? MADE_RESULT.safeParse(json).error)?.issues.map(
    (issue) => `"${issue.path.map(String).join(".")}": ${issue.message}`,
  );
  // The schemas accept exactly the types, except for optional keys that are present and undefined, which JSON
  // does not have.
  const problems = issues ?? kind.findSizeProblems?.(data as DrawableResult) ?? [];
  if (problems.length === 0) return data as DrawableResult;
  const shown = problems.slice(0, SHOWN_PROBLEMS);
  const more = problems.length - shown.length;
  throw new InputError(
    `Cannot draw "${path}" as it must be a whole result of kind "${kind.kind}": ${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}`,
    { input: path },
  );
}

/** @throws InputError if any number in the value is too large for axes and colours */
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
