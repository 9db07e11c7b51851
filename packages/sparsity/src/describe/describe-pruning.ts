import {
  dataWords,
  type Figure,
  factsOf,
  formatCount,
  formatMeasure,
  formatNumber,
  lossWords,
  type Report,
  type Table,
  withLossColumns,
} from "@isthmus/findings";
import type { NetworkMeasures, PruneMeasures, PruneResult } from "../prune-result.ts";
import { rewindingWords, roundsSection } from "./pruning-rounds.ts";

const CHOICES: Readonly<Record<PruneResult["by"], string>> = {
  global: "the least weights of all layers together",
  layer: "the least weights of each layer",
  units: "the units of each layer with the least weights",
};

/** Describes the pruned share of a network, and the cost of pruning. */
export function describePruning(result: PruneResult): Report {
  const { sparsity, elements, pruned, measures, tuning, units, by, rewinding, criterion } = result;
  const { unit, hasErrors } = lossWords({ ...measures });
  const report: Report = {
    subject: "a pruned network",
    summary: summarize(result),
    tiles: [
      {
        name: "sparsity",
        value: formatMeasure(sparsity, "error"),
        unit: "",
        more: [`${formatCount(pruned)} of ${formatCount(elements)} weights are zero`],
      },
      ...pruningStages(result).map(([name, { loss, error }]) => ({
        name: `loss ${name}`,
        value: formatNumber(loss),
        unit,
        more: hasErrors ? [`error ${formatMeasure(error, "error")}`] : [],
      })),
    ],
    sections: [
      {
        name: "layers",
        title: "Layer by layer",
        figures: [layersFigure(result)],
        tables: [layersTable(result), ...(units === undefined ? [] : [unitsTable(units)])],
      },
      ...(rewinding === undefined ? [] : [roundsSection(rewinding, measures)]),
      ...(measures === undefined
        ? []
        : [{ name: "losses", title: "Losses", figures: [], tables: [lossesTable(result, measures)] }]),
    ],
    facts: factsOf({ ...measures }, [
      { name: "Network", value: result.network },
      { name: "Pruned", value: CHOICES[by] },
      ...(criterion === undefined
        ? []
        : [{ name: "Least", value: "by the ratio of mean to standard deviation" }]),
      ...(rewinding === undefined ? [] : [{ name: "Rounds", value: rewindingWords(rewinding) }]),
      ...(tuning === undefined
        ? []
        : [
            {
              name: "Trained on",
              value: `${tuning.data}, ${formatCount(tuning.epochs)} epochs, seed ${tuning.seed}, pruned weights at zero`,
            },
          ]),
    ]),
    notes: [
      "Biases and the parameters of norms are not pruned and not counted.",
      by === "units"
        ? "The choice of units does not change with permutations of units, nor if one number scales a whole layer."
        : "Magnitudes do not change with permutations of units, but they do with scales of units.",
    ],
    shownTables: ["rounds", "units", "layers"],
    data: result,
  };
  // The measures have the kind of loss; the result itself has no loss.
  return withLossColumns(report, { ...measures });
}

function summarize(result: PruneResult): string {
  const { pruned, elements, sparsity, measures, rewinding } = result;
  const share = `${formatCount(pruned)} of ${formatCount(elements)} weights are zero, ${formatMeasure(sparsity, "error")}.`;
  if (measures === undefined) return share;
  const losses = lossWords(measures);
  if (rewinding !== undefined) {
    const stages = pruningStages(result).map(([name, { loss }]) => `${losses.amount(loss)} ${name}`);
    return `${share} The loss of networks that it was made by is ${stages.join(", ")}.`;
  }
  const { before, after, tuned } = measures;
  const then = tuned === undefined ? "" : `, and ${losses.amount(tuned.loss)} after training on`;
  return `${share} The loss is ${losses.amount(before.loss)} before and ${losses.amount(after.loss)} after pruning${then}.`;
}

function layersFigure({ layers }: PruneResult): Figure {
  return {
    name: "layers",
    title: "Share of each weight that is pruned:",
    caption: "Zeros among its elements.",
    words: layers.map(({ name, sparsity }) => `${name}: ${formatMeasure(sparsity, "error")}`).join("; "),
    table: "layers",
    size: "hero",
    plot: {
      kind: "bars",
      rows: layers.map(({ name }) => name),
      series: [""],
      bars: layers.map(({ name, sparsity }) => ({ row: name, series: 0, value: sparsity })),
      axis: { label: "Share pruned", percent: true },
    },
  };
}

function layersTable({ layers }: PruneResult): Table {
  return {
    name: "layers",
    title: "Sparsity of each weight",
    caption: "Elements of each weight, and how many of them are pruned.",
    columns: [
      { title: "Weight", kind: "text" },
      { title: "Elements", kind: "count" },
      { title: "Pruned", kind: "count" },
      { title: "Share", kind: "share" },
    ],
    rows: layers.map(({ name, elements, pruned, sparsity }) => ({
      cells: [name, elements, pruned, sparsity],
    })),
  };
}

function unitsTable(units: NonNullable<PruneResult["units"]>): Table {
  return {
    name: "units",
    title: "Units taken out",
    caption: "Units of each layer, and how many of them are taken out with all weights of theirs.",
    columns: [
      { title: "Layer", kind: "text" },
      { title: "Units", kind: "count" },
      { title: "Taken out", kind: "count" },
    ],
    rows: units.map((layer) => ({ cells: [layer.name, layer.units, layer.pruned] })),
    fixed: true,
  };
}

function lossesTable(result: PruneResult, measures: PruneMeasures): Table {
  const { inUnit, hasErrors } = lossWords(measures);
  return {
    name: "losses",
    title: "Losses before and after",
    caption: `Loss ${inUnit}${hasErrors ? " and error" : ""} on ${dataWords(measures.data, measures.examples)}.`,
    columns: [
      { title: "Network", kind: "text" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
    ],
    rows: pruningStages(result).map(([name, { loss, error }]) => ({ cells: [name, loss, error] })),
    fixed: true,
  };
}

/**
 * Lists the measured networks of a pruning in the order in which they were made, with words for the step that
 * made each.
 */
function pruningStages({
  measures,
  rewinding,
}: Pick<PruneResult, "measures" | "rewinding">): readonly (readonly [string, NetworkMeasures])[] {
  if (measures === undefined) return [];
  const { before, after, tuned } = measures;
  const names =
    rewinding === undefined
      ? (["before", "after", "trained on"] as const)
      : (["trained, not pruned", "pruned last, before it was set back", "set back and trained"] as const);
  const [first, second, third] = names;
  return [[first, before], [second, after], ...(tuned ? ([[third, tuned]] as const) : [])];
}
