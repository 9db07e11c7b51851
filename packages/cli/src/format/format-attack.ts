import { basename } from "node:path";
import type { AttackResult } from "@isthmus/ensemble";
import { formatNumber, formatShort } from "@isthmus/findings";
import { formatAccuracy } from "../training/format-training.ts";
import { formatPairs, formatTable } from "./format-table.ts";

/** Formats how adversarial examples transfer as text: success of each source on each target. */
export function formatAttack(result: AttackResult): string {
  const { sources, targets, data, examples, method, norm, epsilon, steps, stepSize, pixels } = result;
  const table = formatTable(
    [
      { title: "success of" },
      ...["loss", ...targets.map(({ network }) => `on ${basename(network)}`)].map((title) => ({
        title,
        align: "right" as const,
      })),
    ],
    [
      ...sources.map(({ name, loss, targets: attacked }) => [
        name,
        `${formatNumber(loss.before)} to ${formatNumber(loss.after)}`,
        ...attacked.map(({ success }) => formatAccuracy(success ?? undefined)),
      ]),
      ["accuracy before", "", ...targets.map(({ accuracy }) => formatAccuracy(accuracy))],
    ],
  );
  const several = method === "pgd" ? `, ${steps} steps of ${formatShort(stepSize)}` : "";
  const unit = pixels ? " of pixels from 0 to 1" : "";
  return [
    table,
    formatPairs([
      ["attack", `${method}, ${norm} ${formatShort(epsilon)}${unit}${several}`],
      ["data", `${data}, ${examples.toLocaleString("en-US")} examples`],
    ]),
  ].join("\n\n");
}
