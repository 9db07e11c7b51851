import { at } from "@isthmus/core";
import type { MergeVerdict, NetworkComparison, Verdict } from "@isthmus/recipe";
import { formatFindings } from "./format-findings.ts";
import { formatTable } from "./format-table.ts";

/** What each verdict means for a merge, in a few words. */
const MEANINGS: Readonly<Record<Verdict, string>> = {
  identical: "identical: there is nothing to merge",
  "same ancestor": "same ancestor: they can be merged as they are",
  "permuted copy": "permuted copy: one network, its units in another order; align first",
  "different seed": "different seed: align first",
  "different architecture": "different architecture: they cannot be averaged",
};

/** Formats a comparison of networks and what it means for a merge. */
export function formatComparison(
  comparison: NetworkComparison,
  verdict: MergeVerdict,
  width: number,
): string {
  const { taskVectors, sampled } = comparison;
  return [
    formatNetworks(comparison, width),
    "",
    formatPairTable(comparison, verdict),
    ...(taskVectors === null ? [] : ["", formatSteps(comparison)]),
    "",
    `${MEANINGS[verdict.verdict]} (${formatSure(verdict.confidence)} sure)`,
    ...(sampled < 1 ? [`${(100 * sampled).toPrecision(2)} % of all numbers were read`] : []),
    ...(verdict.findings.length === 0 ? [] : ["", ...formatFindings(verdict.findings)]),
  ].join("\n");
}

function formatNetworks({ networks, base }: NetworkComparison, width: number): string {
  const rows = networks.map(({ source, tensors, parameters, dtypes }, index) => [
    index === base ? "base" : String(index + 1),
    String(tensors),
    parameters.toLocaleString("en-US"),
    Object.keys(dtypes).join(", "),
    source,
  ]);
  const right = "right" as const;
  return formatTable(
    [
      { title: "network" },
      { title: "tensors", align: right },
      { title: "parameters", align: right },
      { title: "types" },
      { title: "file" },
    ],
    rows,
    width,
  );
}

function formatPairTable({ pairs, base }: NetworkComparison, verdict: MergeVerdict): string {
  const hasAligned = pairs.some(({ alignment }) => alignment !== null);
  const rows = pairs.map(({ a, b, kinship, distance, cosine, alignment }, index) => {
    const judged = at(verdict.pairs, index, "verdict");
    return [
      `${a + 1} and ${b === base ? "base" : b + 1}`,
      formatNumber(kinship),
      formatNumber(distance),
      formatNumber(cosine),
      ...(hasAligned ? [formatNumber(alignment?.after ?? null)] : []),
      `${judged.verdict}, ${formatSure(judged.confidence)} sure`,
    ];
  });
  const numbers = ["kinship", "distance", "cosine", ...(hasAligned ? ["aligned"] : [])];
  const columns = numbers.map((title) => ({ title, align: "right" as const }));
  return formatTable([{ title: "networks" }, ...columns, { title: "verdict" }], rows);
}

function formatSteps({ taskVectors, base }: NetworkComparison): string {
  if (taskVectors === null) return "";
  const { networks, lengths, cosines, guessed } = taskVectors;
  const rows = networks.map((network, i) => [
    String(network + 1),
    formatNumber(at(lengths, i, "length")),
    ...at(cosines, i, "row").map((cosine) => cosine.toFixed(2)),
  ]);
  const from = taskVectors.base === base ? "the base" : `network ${taskVectors.base + 1}`;
  const columns = ["length", ...networks.map((network) => `cosine ${network + 1}`)];
  return [
    `steps from ${from}${guessed ? ", which looks like the base" : ""}, in units of its norm`,
    formatTable(
      [{ title: "network" }, ...columns.map((title) => ({ title, align: "right" as const }))],
      rows,
    ),
  ].join("\n");
}

/** Formats a number for a table with two digits or more, and a small one so that it is not shown as 0. */
function formatNumber(value: number | null): string {
  if (value === null) return "-";
  return Math.abs(value) >= 0.01 || value === 0 ? value.toFixed(3) : value.toExponential(1);
}

function formatSure(confidence: number): string {
  return `${Math.floor(100 * confidence)} %`;
}
