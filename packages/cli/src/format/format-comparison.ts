import { at } from "@isthmus/core";
import {
  type ComparisonResult,
  describeWay,
  listTree,
  type NetworkComparison,
  VERDICT_MEANINGS,
} from "@isthmus/recipe";
import { formatFindings } from "./format-findings.ts";
import { formatTable } from "./format-table.ts";

/** Formats a comparison of networks, and its consequences for a merge. */
export function formatComparison(comparison: ComparisonResult, width: number): string {
  const { taskVectors, sampled, verdict, confidence, findings } = comparison;
  return [
    formatNetworks(comparison, width),
    "",
    formatPairTable(comparison),
    ...(taskVectors === null ? [] : ["", formatSteps(comparison)]),
    "",
    comparison.advice?.signs.adapters === "all"
      ? "adapters: the numbers above compare their factors, which say little of what they add"
      : `${verdict}: ${VERDICT_MEANINGS[verdict]} (${formatSure(confidence)} sure)`,
    ...(sampled < 1 ? [`${(100 * sampled).toPrecision(2)} % of all numbers were read`] : []),
    ...(findings.length === 0 ? [] : ["", ...formatFindings(findings)]),
    ...formatTree(comparison),
    ...formatAdvice(comparison),
  ].join("\n");
}

/** Fewest networks whose family tree is printed: of two, the table of pairs says as much. */
const LEAST_OF_TREE = 3;

function formatTree({ descent, networks, base }: ComparisonResult): string[] {
  if (descent === null || networks.length < LEAST_OF_TREE || descent.parents.every((one) => one === null))
    return [];
  const rows = listTree(descent).map(({ network, lines }) => [
    `${lines}${network === base ? "base" : network + 1}  ${at(networks, network, "network").source}`,
    formatNumber(at(descent.distances, network, "network")),
    formatNumber(at(descent.support, network, "network")),
  ]);
  const columns = ["distance", "direction"].map((title) => ({ title, align: "right" as const }));
  return ["", formatTable([{ title: "which was trained from which" }, ...columns], rows)];
}

function formatAdvice({ advice, networks, base }: ComparisonResult): string[] {
  if (advice === null) return [];
  const names = networks.map((_, i) => (i === base ? "the base" : `network ${i + 1}`));
  return [
    "",
    `advice: ${describeWay(advice, names)}`,
    `  ${advice.reason}`,
    ...advice.next.flatMap(({ purpose, command }, i) => [
      ...(i === 0 ? ["to know better (words in capitals are for you to fill in):"] : []),
      `  ${command}`,
      `    ${purpose}`,
    ]),
  ];
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

function formatPairTable({ pairs, base, verdicts }: ComparisonResult): string {
  const hasAligned = pairs.some(({ alignment }) => alignment !== null);
  const rows = pairs.map(({ a, b, kinship, distance, cosine, alignment }, index) => {
    const judged = at(verdicts, index, "verdict");
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
    ...at(cosines, i, "row").map((cosine) => cosine.toFixed(2).replace(/^-(?=0\.00$)/, "")),
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

/**
 * Formats a number for a table with at least two digits; small numbers get more, so that none is shown as 0.
 */
function formatNumber(value: number | null): string {
  if (value === null) return "-";
  return Math.abs(value) >= 0.01 || value === 0 ? value.toFixed(3) : value.toExponential(1);
}

function formatSure(confidence: number): string {
  return `${Math.floor(100 * confidence)} %`;
}
