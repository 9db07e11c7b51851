import { excerpt, InputError, readJsonFile } from "@isthmus/core";
import { listMeasurements, loadMeasurement } from "@isthmus/measurements";
import type { ZodType } from "zod";
import type { WrittenOut } from "../result/describe-result.ts";
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
  const kind = (json as { kind?: unknown } | null)?.kind;
  const schema = typeof kind === "string" ? await loadSchema(kind) : undefined;
  if (schema === undefined) {
    const actual = kind === undefined ? "it has none" : `it is ${excerpt(kind)}`;
    throw new InputError(
      `Cannot draw "${path}" as the "kind" of a result must be one of ${(await listResultKinds()).join(", ")}: ${actual}; give a file that a verb wrote, or printed with --json; if it is of a measurement of your own, name that by --use`,
      { input: path },
    );
  }
  assertDrawable(json, path);
  const { PROVENANCE_SCHEMA } = await import("./result-schema.ts");
  const { data, error } = schema.safeParse(json);
  const issues = (error ?? PROVENANCE_SCHEMA.safeParse(json).error)?.issues.map(
    (issue) => `"${issue.path.map(String).join(".")}": ${issue.message}`,
  );
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

/** Lists all kinds of results that can be drawn, the ones of added measurements last. */
export async function listResultKinds(): Promise<readonly string[]> {
  const { WRITTEN_OUT_SCHEMAS } = await import("./result-schema.ts");
  return [...Object.keys(WRITTEN_OUT_SCHEMAS), ...listMeasurements().map(({ kind }) => kind)];
}

/** Loads the form of results of a kind; undefined if there is none. */
async function loadSchema(kind: string): Promise<ZodType | undefined> {
  // Schemas take time to load, which drawing does not need.
  const { WRITTEN_OUT_SCHEMAS } = await import("./result-schema.ts");
  const form = await (await loadMeasurement(kind))?.form?.();
  if (form !== undefined) return form;
  return Object.hasOwn(WRITTEN_OUT_SCHEMAS, kind)
    ? WRITTEN_OUT_SCHEMAS[kind as WrittenOut["kind"]]
    : undefined;
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
