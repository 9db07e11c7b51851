import {
  factsOf,
  formatCounted,
  formatMeasure,
  formatNumber,
  formatShort,
  lossWords,
  type Report,
  type Tile,
} from "@isthmus/findings";
import type { MapResult } from "../../map-result.ts";
import { barrierMaps, placeMaps } from "./map-figures.ts";
import { assertMap, MAP_STAGES, meanBarrier, pairsOf } from "./map-networks.ts";
import { joinTables, networksTable, pairsTable } from "./map-tables.ts";
import { walkFigure } from "./walk-figure.ts";
import { groundTables, wayTables } from "./way-tables.ts";

/**
 * Describes the positions of several networks relative to each other, before and after alignment.
 * @throws UsageError if there are fewer than two networks, or the parts of the result contradict each other
 */
export function describeMap(result: MapResult): Report {
  assertMap(result);
  const { networks, many, points } = result;
  return {
    subject: "map of networks",
    summary: summarize(result),
    tiles: tilesOf(result),
    sections: [
      { name: "walk", title: "The map", figures: [walkFigure(result)], tables: [] },
      { name: "barriers", title: "Barriers between all pairs", figures: barrierMaps(result), tables: [] },
      {
        name: "plane",
        title: "Where the networks are",
        figures: placeMaps(result),
        tables: [networksTable(result)],
      },
      {
        name: "pairs",
        title: "Every pair",
        figures: [],
        tables: [pairsTable(result), ...wayTables(result), ...groundTables(result)],
      },
      { name: "trees", title: "The trees", figures: [], tables: joinTables(result) },
    ],
    facts: factsOf(result, [
      { name: "Networks", value: `${networks.length}: ${networks.map(({ source }) => source).join(", ")}` },
      { name: "Alignment", value: `all at once by weights, the best found by ${many}` },
      { name: "Pairs", value: `${formatCounted(points, "place")} on the line between them` },
    ]),
    shownTables: ["networks"],
    data: result,
  };
}

function summarize(result: MapResult): string {
  const { networks, before, after } = result;
  const [from, to] = [meanBarrier(before), meanBarrier(after)];
  const share = from > 0 && to > 0 ? ` (a ratio of ${formatShort(to / from, 2)})` : "";
  const best = Math.min(...networks.map(({ loss }) => loss));
  return `Between ${networks.length} networks the mean loss barrier is ${lossWords(result).amount(from)} as trained, and ${formatNumber(to)} once they are aligned${share}. Their mean has a loss of ${formatNumber(before.mean.loss)} as trained, of ${formatNumber(after.mean.loss)} once aligned; the best of them alone has ${formatNumber(best)}.`;
}

function tilesOf(result: MapResult): Tile[] {
  const { unit, hasErrors } = lossWords(result);
  const pairs = formatCounted(pairsOf(result.networks.length), "pair");
  return [
    ...MAP_STAGES.map(({ key, name }, style) => ({
      name: `Pairs, ${name.toLowerCase()}`,
      value: formatNumber(meanBarrier(result[key])),
      unit,
      more: [
        `mean loss barrier of ${pairs}`,
        `highest ${formatNumber(Math.max(...result[key].pairs.map(({ loss }) => loss)))}`,
      ],
      style,
    })),
    ...MAP_STAGES.map(({ key, name }, style) => ({
      name: `Mean, ${name.toLowerCase()}`,
      value: formatNumber(result[key].mean.loss),
      unit,
      more: [
        "loss of the merged network",
        ...(hasErrors ? [`error ${formatMeasure(result[key].mean.error, "error")}`] : []),
      ],
      style,
    })),
  ];
}
