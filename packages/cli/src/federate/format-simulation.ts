import { formatNumber } from "@isthmus/findings";
import type { SimulationResult } from "@isthmus/simulation";
import { LEAST_FOR_INTERVAL, type RunSummary, scaleOf, summarizeRuns } from "@isthmus/simulation/summary";
import { formatTable } from "../format/format-table.ts";

/** Formats the outcome of simulated federations: strategies by attacks for each partition. */
export function formatSimulation(simulation: SimulationResult): string {
  const summaries = summarizeRuns(simulation);
  const parts = Object.keys(simulation.partitions).map((partition) => {
    const shown = summaries.filter((one) => one.partition === partition);
    return `${partition}\n\n${formatPartition(simulation, shown)}`;
  });
  const { hasErrors, losses } = scaleOf(simulation);
  const after = `after ${simulation.federation.rounds} rounds`;
  const what = hasErrors ? `accuracy ${after} (%)` : losses.axis(`loss ${after}`);
  const title = `${simulation.title}: ${what}, ${intervalWords(simulation)}`;
  return [title, ...parts, ...listStopped(summaries), ...listFailed(simulation)].join("\n\n");
}

function formatPartition(simulation: SimulationResult, shown: readonly RunSummary[]): string {
  const { strategies, attacks } = simulation;
  const { hasErrors } = scaleOf(simulation);
  const names = Object.keys(attacks);
  const several = names.length > 1;
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = several
    ? names
    : [hasErrors ? "accuracy" : "loss", "like own", "std of clients", "worst tenth"];
  const hasNorms = shown.some(({ norms }) => norms !== undefined);
  const isPrivate = shown.some(({ epsilon }) => epsilon !== undefined);
  const rows = Object.keys(strategies).map((strategy) => {
    const ofStrategy = shown.filter((one) => one.strategy === strategy);
    const cells = several
      ? names.map((attack) => ofStrategy.find((one) => one.attack === attack)?.score)
      : ofStrategy.flatMap(({ score, local, spread, worst, norms }) => [
          ...[score, local, spread, worst],
          ...(hasNorms ? [norms?.aggregated, norms?.pooled, norms?.own] : []),
        ]);
    const texts = cells.map((cell) => (cell === undefined ? "" : formatEstimate(cell, hasErrors)));
    return [strategy, ...texts, ...(isPrivate ? [formatEpsilon(ofStrategy)] : [])];
  });
  const titles = [
    ...columns,
    ...(hasNorms && !several ? ["norms aggregated", "of all clients", "of each"] : []),
    ...(isPrivate ? ["epsilon"] : []),
  ];
  return formatTable([{ title: "Strategy" }, ...titles.map(right)], rows);
}

/** Formats the privacy that the federations of one strategy spent; empty for strategies without privacy. */
function formatEpsilon(summaries: readonly RunSummary[]): string {
  const spent = summaries.flatMap(({ epsilon }) => (epsilon === undefined ? [] : [epsilon]));
  if (spent.length === 0) return "";
  const finite = spent.filter((epsilon) => epsilon !== null);
  return finite.length < spent.length ? "infinite" : Math.max(...finite).toPrecision(3);
}

/** Lists the strategies that ended early, each with its reason once. */
function listStopped(summaries: readonly RunSummary[]): readonly string[] {
  const lines = summaries.flatMap(({ strategy, stopped }) =>
    stopped === undefined ? [] : [`${strategy} ended early: ${stopped}`],
  );
  return lines.length === 0 ? [] : [[...new Set(lines)].join("\n")];
}

/** Lists the rounds whose updates could not be combined, by federation, with the reason of the first. */
function listFailed({ runs }: SimulationResult): readonly string[] {
  const lines = runs.flatMap(({ partition, strategy, attack, seed, rounds, failed: end }) => {
    const failures = rounds.filter(({ failed }) => failed !== undefined);
    const [first] = failures;
    if (first === undefined) return [];
    const times = `${failures.length} round${failures.length === 1 ? "" : "s"} came to nothing`;
    const ended = end === undefined ? "" : ", which ended it";
    return [`${strategy} (${partition}, attack ${attack}, seed ${seed}): ${times}${ended}: ${first.failed}`];
  });
  return lines.length === 0 ? [] : [lines.join("\n")];
}

/** Explains the brackets behind a mean, or their absence. */
function intervalWords({ seeds }: SimulationResult): string {
  if (seeds.length === 1) return "of one seed";
  return seeds.length < LEAST_FOR_INTERVAL
    ? `means over ${seeds.length} seeds, too few for intervals`
    : `means over ${seeds.length} seeds [intervals of 95 %]`;
}

function formatEstimate({ mean, low, high }: RunSummary["score"], hasErrors: boolean): string {
  const format = hasErrors ? (share: number) => (100 * share).toFixed(1) : formatNumber;
  return Number.isFinite(high) ? `${format(mean)} [${format(low)}, ${format(high)}]` : format(mean);
}
