import type { LayersResult } from "@isthmus/barrier";
import { UsageError } from "@isthmus/core";
import { formatBarrier, formatCount, formatNumber } from "../format-value.ts";
import { factsOf } from "./facts.ts";
import { ALL_GROUPS, layersFigures } from "./layers-figures.ts";
import {
  cumulativeTable,
  groupsTable,
  layerBarriersTable,
  layerDefinitionsTable,
  layerPointsTable,
} from "./layers-tables.ts";
import { predictionSection } from "./predictions.ts";
import type { Report, Tile } from "./report.ts";
import { robustnessSection } from "./robustness.ts";

/** Highest barriers of single groups that the top of the page names. */
const NAMED = 2;

/**
 * Says what barriers by layer show.
 * @throws UsageError if there is no group
 */
export function describeLayers(result: LayersResult): Report {
  if (result.layers.length === 0) {
    throw new UsageError("Cannot draw barriers by layer as at least one group is needed: got 0");
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
        tables: [layerBarriersTable(result), layerDefinitionsTable(result)],
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

/** Groups, the highest barrier first. */
function ranked({ layers }: LayersResult): LayersResult["layers"] {
  return layers.toSorted((one, other) => other.barrier.loss - one.barrier.loss);
}

function summarise(result: LayersResult): string {
  const whole = formatNumber(result.whole.wholeEndpoints.loss);
  const [highest] = ranked(result);
  if (!highest) return "";
  const sum = result.layers.reduce((total, { barrier }) => total + barrier.loss, 0);
  return `Averaging all groups costs ${whole} nats. Of ${result.layers.length} groups by themselves ${highest.group} costs most, ${formatNumber(highest.barrier.loss)} nats; one by one they add up to ${formatNumber(sum)}.`;
}

function tilesOf(result: LayersResult): Tile[] {
  const { loss, error } = result.whole.wholeEndpoints;
  const all = { name: ALL_GROUPS, barrier: { loss, error }, more: ["averaged at once"], style: 1 };
  const highest = ranked(result).slice(0, NAMED);
  const single = highest.map(({ group, barrier }) => ({
    name: group,
    barrier,
    more: ["averaged by itself"],
    style: 0,
  }));
  return [all, ...single].map(({ name, barrier, more, style }) => ({
    name,
    value: formatNumber(barrier.loss),
    unit: "nats",
    more: [...more, `error barrier ${formatBarrier(barrier.error, "error")}`],
    style,
  }));
}
