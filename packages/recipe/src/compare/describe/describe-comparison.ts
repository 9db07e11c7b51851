import {
  formatCounted,
  formatNumber,
  formatShare,
  type Report,
  type Section,
  type Tile,
} from "@isthmus/findings";
import type { ComparisonResult } from "../comparison-result.ts";
import { adviceSection } from "./advice-section.ts";
import { depthFigures, mapFigures } from "./comparison-figures.ts";
import { depthTables, findingsTables, pairsTable, stepsTables } from "./comparison-tables.ts";
import { differenceTables, networksTable } from "./difference-tables.ts";
import { familySection } from "./family-section.ts";
import { assertComparison, pairName, shortName, verdictAt } from "./network-names.ts";
import { VERDICT_MEANINGS } from "./verdict-meanings.ts";

/** Most pairs that get one tile each at the top of the page. */
const MOST_TILES = 3;

/**
 * Describes how networks are related, and the obstacles to merging them.
 * @throws UsageError if there is no pair of networks, or the parts of the result contradict each other
 */
export function describeComparison(result: ComparisonResult): Report {
  assertComparison(result);
  const { networks, sampled, seed } = result;
  return {
    subject: "comparison of networks",
    summary: summarize(result),
    tiles: tilesOf(result),
    sections: [
      {
        name: "verdicts",
        title: "What the networks are to each other",
        figures: [],
        tables: [...findingsTables(result), pairsTable(result)],
      },
      ...adviceSection(result),
      ...familySection(result),
      ...mapsSection(result),
      ...depthSection(result),
      {
        name: "differences",
        title: "The networks and what differs",
        figures: [],
        tables: [networksTable(result), ...differenceTables(result)],
      },
    ],
    facts: [
      ...networks.map(({ source }, index) => ({
        name: index === result.base ? "Base" : `Network ${shortName(result, index)}`,
        value: source,
      })),
      { name: "Numbers that were read", value: formatShare(Math.min(1, sampled), 2) },
      { name: "Seed of the sample", value: String(seed) },
    ],
    data: result,
  };
}

function summarize({ networks, verdict, confidence, findings }: ComparisonResult): string {
  const counts = (["error", "warning"] as const)
    .map((severity) => ({
      severity,
      count: findings.filter((finding) => finding.severity === severity).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => formatCounted(count, severity));
  const against =
    counts.length === 0
      ? "Nothing stands against a merge."
      : `There ${counts.length === 1 && counts[0]?.startsWith("1 ") ? "is" : "are"} ${counts.join(" and ")} to read before a merge.`;
  const all = networks.length === 2 ? "Both networks" : `${networks.length} networks`;
  return `${all}: ${verdict}, ${VERDICT_MEANINGS[verdict]} (${sureOf(confidence)} sure). ${against}`;
}

function tilesOf(result: ComparisonResult): Tile[] {
  const { pairs, verdict, confidence } = result;
  if (pairs.length > MOST_TILES) {
    return [
      {
        name: "The worst of all pairs",
        value: verdict,
        unit: "",
        more: [VERDICT_MEANINGS[verdict], `${sureOf(confidence)} sure`],
        style: 0,
      },
    ];
  }
  return pairs.map((pair, index) => {
    const judged = verdictAt(result, index);
    return {
      name: `Networks ${pairName(result, pair)}`,
      value: judged.verdict,
      unit: "",
      more: [
        VERDICT_MEANINGS[judged.verdict],
        `${sureOf(judged.confidence)} sure`,
        ...(pair.distance === null ? [] : [`distance ${formatNumber(pair.distance)}`]),
      ],
      style: index,
    };
  });
}

function mapsSection(result: ComparisonResult): Section[] {
  const [figures, tables] = [mapFigures(result), stepsTables(result)];
  if (figures.length + tables.length === 0) return [];
  return [{ name: "distances", title: "Distances and angles", figures, tables }];
}

function depthSection(result: ComparisonResult): Section[] {
  // Networks without a tensor in common have no distances.
  if (result.pairs.every(({ tensors }) => tensors.length === 0)) return [];
  const [figures, tables] = [depthFigures(result), depthTables(result)];
  return [{ name: "depth", title: "Along the depth", figures, tables }];
}

/** Formats a probability as a percentage that is never rounded up to certainty. */
function sureOf(confidence: number): string {
  return `${Math.floor(100 * confidence)} %`;
}
