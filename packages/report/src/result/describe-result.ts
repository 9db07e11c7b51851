import { at } from "@isthmus/core";
import { type Report, withLossColumns } from "@isthmus/findings";
import { type Drawable, type DrawableResult, isNamedBarriers } from "./drawable-result.ts";
import { kindOf } from "./result-kinds.ts";

/** Says what a result of any kind shows, or several barriers beside each other. */
export async function describeResult(result: Drawable): Promise<Report> {
  if (isNamedBarriers(result)) {
    const { describeBarriers } = await import("@isthmus/barrier");
    return withLossColumns(describeBarriers(result), at(result, 0, "curve").result);
  }
  return withLossColumns((await kindOf(result)).describe(result), result);
}

/** Returns the title of a result's page, made of what the result says of itself. */
export async function titleOfResult(result: DrawableResult): Promise<string> {
  return (await kindOf(result)).titleOf(result);
}
