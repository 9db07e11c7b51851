import { type BarrierDecomposition, carriedSentences } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { formatBarrier, formatCount, lossWords } from "@isthmus/findings";
import { formatBar } from "./format-bar.ts";
import type { Screen } from "./format-chart.ts";
import { type Column, formatTable } from "./format-table.ts";

/** Number of cells of the longest bar. */
const BAR_WIDTH = 16;
/** Number of examples that are named, from the highest excess. */
const NAMED = 5;

/** Formats how much the parts of a network contribute to the excess half-way, and which examples carry it. */
export function formatDecomposition(decomposition: BarrierDecomposition, terminal: Screen): string {
  const { excess, examples, tempered, byExample } = decomposition;
  const losses = tempered ? "with temperature" : "without temperature";
  const worst = byExample.worst
    .slice(0, NAMED)
    .map((example) => `${example.index} (${lossOf(example.excess)})`);
  return [
    `Half-way the loss ${losses} is ${lossWords(decomposition).amount(excess.loss)} above the mean of A and B, on ${formatCount(examples)} examples.`,
    "What one part adds averaged alone in A and in B, and put back alone from the average to A and to B:",
    formatParts(decomposition, terminal),
    "",
    ...carriedSentences(decomposition),
    ...(worst.length === 0 ? [] : [`Highest, by index: ${worst.join(", ")}.`]),
  ].join("\n");
}

const lossOf = (value: number) => formatBarrier(value, "loss");
const alignedRight = (title: string): Column => ({ title, align: "right" });

function formatParts({ parts, excess }: BarrierDecomposition, { unicode }: Screen): string {
  const means = parts.map(({ averaged: { a, b } }) => (a.loss + b.loss) / 2);
  const full = Math.max(...means, excess.loss);
  const bar = (value: number) => formatBar(value, { full, width: BAR_WIDTH, unicode });
  const rows = parts.map(({ part, elements, averaged, putBack }, index) => [
    part,
    formatCount(elements),
    ...[putBack.a, putBack.b, averaged.a, averaged.b].map(({ loss }) => lossOf(loss)),
    lossOf(at(means, index, "part")),
    bar(at(means, index, "part")),
  ]);
  rows.push(["all at once", "", "", "", "", "", lossOf(excess.loss), bar(excess.loss)]);
  const columns = ["numbers", "back to A", "back to B", "averaged in A", "in B", "mean"].map(alignedRight);
  return formatTable([{ title: "part" }, ...columns, { title: "" }], rows);
}
