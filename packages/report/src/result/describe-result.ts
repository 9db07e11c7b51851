import { at } from "@isthmus/core";
import { type Report, withLossColumns } from "@isthmus/findings";
import { type Drawable, type DrawableResult, isNamedBarriers } from "./drawable-result.ts";
import { kindOf } from "./result-kinds.ts";

/** Describes a result of any kind, or several barriers side by side, as a report. */
export async function describeResult(result: Drawable): Promise<Report> {
  if (isNamedBarriers(result)) {
    const { describeBarriers } = await import("@isthmus/barrier");
    return withLossColumns(describeBarriers(result), at(result, 0, "curve").result);
  }
  return withLossColumns((await kindOf(result)).describe(result), result);
}

/** Returns the title of a result's page, derived from the result itself. */
export async function titleOfResult(result: DrawableResult): Promise<string> {
  return (await kindOf(result)).titleOf(result);
}
