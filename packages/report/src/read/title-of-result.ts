import { basename } from "node:path";
import { loadMeasurement } from "@isthmus/measurements";
import type { WrittenOut } from "../result/describe-result.ts";
import type { DrawableResult } from "../result/drawable-result.ts";

/** Networks from which on a title counts them and does not name them. */
const MOST_NAMED = 3;

/** Returns the title of a result's page, made of what the result says of itself. */
export async function titleOfResult(result: DrawableResult): Promise<string> {
  const measurement = await loadMeasurement(result.kind);
  return measurement?.titleOf?.(result) ?? titleOfWrittenOut(result as WrittenOut);
}

function titleOfWrittenOut(result: WrittenOut): string {
  switch (result.kind) {
    case "barrier":
      return pairOf(result);
    case "map":
      return `A map of ${result.networks.length} networks`;
    case "star":
      return `A star of ${result.anchors.length} networks`;
    case "study":
      return result.only === undefined ? result.title : `${result.title} (a part)`;
    case "simulation":
      return result.title;
    case "pareto":
      return `Networks for ${result.tasks.join(" and ")}`;
    case "curvature-history":
      return `Curvature of the loss along a training on ${result.data}`;
    case "intrinsic-dimension":
      return `Intrinsic dimension of ${basename(result.network)}`;
    case "prune":
      return `${basename(result.network)}, pruned`;
    case "comparison":
      return result.networks.length > MOST_NAMED
        ? `${result.networks.length} networks compared`
        : `${result.networks.map(({ source }) => basename(source)).join(", ")} compared`;
  }
}

function pairOf({ a, b }: { readonly a: string; readonly b: string }): string {
  return `From ${basename(a)} to ${basename(b)}`;
}
