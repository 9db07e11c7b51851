import type { LayersResult } from "@isthmus/barrier";
import { formatBarrier, formatCount, formatNumber } from "../format-value.ts";
import { factsOf } from "./facts.ts";
import { layersFigures } from "./layers-figures.ts";
import { cumulativeTable, groupsTable, layerBarriersTable, layerPointsTable } from "./layers-tables.ts";
import { predictionSection } from "./predictions.ts";
import type { Report } from "./report.ts";
import { robustnessSection } from "./robustness.ts";

/** Highest barriers of single groups that the top of the page names. */
const NAMED = 2;

/**
 * Says what barriers by layer show.
 * @throws TypeError if there is no group
 */
export function describeLayers(result: LayersResult): Report {
  if (result.layers.length === 0) {
    throw new TypeError("Cannot draw barriers by layer as at least one group is needed: got 0");
  }
  const figures = layersFigures(result);
  return {
    subject: "barriers by layer",
    summary: summarise(result),
    tiles: tilesOf(result),
    sections: [
      {
        name: "layers",
        title: "Each group by itself",
        figures: figures.single,
        tables: [layerBarriersTable(result)],
      },
      ...(result.cumulative.length === 0
        ? []
        : [
            {
              name: "cumulative",
              title: "Growing sets of groups",
              figures: figures.cumulative,
              tables: [cumulativeTable(result)],
            },
          ]),
      ...predictionSection(result),
      ...robustnessSection(result),
      {
        name: "along",
        title: "Along the way of each group",
        figures: figures.along,
        tables: [layerPointsTable(result)],
      },
      { name: "groups", title: "The groups", figures: [], tables: [groupsTable(result)] },
    ],
    facts: factsOf(result, [{ name: "Groups", value: formatCount(result.groups.length) }]),
    data: result,
  };
}

/** Groups with the mean of their two barriers, the highest first. */
function ranked({ layers }: LayersResult): { readonly group: string; readonly height: number }[] {
  return layers
    .map(({ group, a, b }) => ({ group, height: (a.barrier.loss.chord + b.barrier.loss.chord) / 2 }))
    .sort((one, other) => other.height - one.height);
}

function summarise(result: LayersResult): string {
  const whole = formatNumber(result.whole.barrier.loss.chord);
  const [highest] = ranked(result);
  if (!highest) return "";
  const sum = ranked(result).reduce((total, { height }) => total + height, 0);
  return `All groups at once meet a loss barrier of ${whole} nats. Of ${result.layers.length} groups by themselves, ${highest.group} has the highest, ${formatNumber(highest.height)} nats on average over the two networks; all of them add up to ${formatNumber(sum)}.`;
}

function tilesOf(result: LayersResult): Report["tiles"] {
  const { loss, error } = result.whole.barrier;
  return [
    {
      name: "all groups at once",
      value: formatNumber(loss.chord),
      unit: "nats",
      more: [`error barrier ${formatBarrier(error.chord, "error")}`],
    },
    ...ranked(result)
      .slice(0, NAMED)
      .map(({ group, height }) => ({
        name: group,
        value: formatNumber(height),
        unit: "nats",
        more: ["by itself, mean of both networks"],
      })),
  ];
}
