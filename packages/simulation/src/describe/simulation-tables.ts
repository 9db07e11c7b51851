import { meanOf, sumOf } from "@isthmus/core";
import { type CellValue, lossColumn, type Table, type TableColumn, type TableRow } from "@isthmus/findings";
import type { SimulationResult } from "../result/simulation-result.ts";
import { type Estimate, LEAST_FOR_INTERVAL, type RunSummary, scaleOf } from "../result/summarize-runs.ts";
import { type ScoreWords, scoreWords } from "./score-words.ts";

/** Number of bytes in a megabyte. */
const MEGABYTE = 1e6;
/** The column of the privacy loss of rounds. */
const EPSILON = { title: "Epsilon", kind: "number", unit: "nats" } as const;

/** Makes the table of all strategies with their means over seeds, and intervals if there are enough seeds. */
export function scoreTable(summaries: readonly RunSummary[], words: ScoreWords): Table {
  const most = Math.max(...summaries.map(({ seeds }) => seeds));
  const several = most >= LEAST_FOR_INTERVAL;
  const isPrivate = summaries.some(({ epsilon }) => epsilon !== undefined);
  // Columns that would say the same in every row are left out: the page has no room for them.
  const attacked = summaries.some(({ attack }) => attack !== "none");
  const hasFailed = summaries.some(({ failed }) => failed > 0);
  const rows = summaries.map(
    ({ score, local, spread, worst, bytes, failed, seeds, ...of }): TableRow => ({
      cells: [
        ...[...federationCells(of, attacked), ...estimateCells(score, several)],
        ...[...estimateCells(local, several), finite(spread.mean), finite(worst.mean)],
        ...[bytes / MEGABYTE, seeds, ...(hasFailed ? [failed] : [])],
        ...(isPrivate ? [of.epsilon ?? null] : []),
      ],
    }),
  );
  return {
    name: words.name,
    title: `${words.title} after the last round`,
    caption: `The ${words.name} of the network on all examples to evaluate on, ${meansWords(most)}. "Like own" ${words.hasErrors ? "weighs the classes as each honest client has them" : "is of examples shifted as those of each honest client"}: the mean over clients, their standard deviation and the mean of the worst tenth. Where clients keep layers, networks are their own.${isPrivate ? captionOfPrivacy(summaries) : ""}`,
    columns: [
      ...federationColumns(attacked),
      ...estimateColumns(words.title, several, words),
      ...estimateColumns("Like own", several, words),
      { title: "Std of clients", ...words.column },
      { title: "Worst tenth", ...words.column },
      { title: "Sent", kind: "number", unit: "MB" },
      { title: "Seeds", kind: "whole" },
      ...(hasFailed ? [{ title: "Failed", kind: "whole" as const }] : []),
      ...(isPrivate ? [EPSILON] : []),
    ],
    rows,
  };
}

/** Titles of the statistics of batch norms. */
const NORMS = { aggregated: "As aggregated", pooled: "Of all clients", own: "Of each client" } as const;

/** Makes the table of scores by the statistics of batch norms; none if the statistics were not measured. */
export function normsTable(summaries: readonly RunSummary[], words: ScoreWords): readonly Table[] {
  const shown = summaries.flatMap((summary) =>
    summary.norms === undefined ? [] : [{ ...summary, norms: summary.norms }],
  );
  if (shown.length === 0) return [];
  const most = Math.max(...shown.map(({ seeds }) => seeds));
  const several = most >= LEAST_FOR_INTERVAL;
  const attacked = shown.some(({ attack }) => attack !== "none");
  const names = ["aggregated", "pooled", "own"] as const;
  return [
    {
      name: "norms",
      title: `${words.title} by the statistics of batch norms`,
      caption: `The server's last network on examples that are shifted as each honest client's, ${meansWords(most)}: with the statistics that aggregation left, with those of the examples of all honest clients together, and with those that each client measures on its own examples. "Own network" has what the client keeps.`,
      columns: [
        ...federationColumns(attacked),
        ...names.flatMap((name) => estimateColumns(NORMS[name], several, words)),
        ...estimateColumns("Own network", several, words),
      ],
      rows: shown.map(({ norms, score, ...of }) => ({
        cells: [
          ...federationCells(of, attacked),
          ...names.flatMap((name) => estimateCells(norms[name], several)),
          ...estimateCells(score, several),
        ],
      })),
    },
  ];
}

/** Makes the columns that identify the federations of a row, with a column of attacks or without. */
function federationColumns(attacked: boolean): readonly TableColumn[] {
  const titles = ["Strategy", "Partition", ...(attacked ? ["Attack"] : [])];
  return titles.map((title) => ({ title, kind: "text" as const }));
}

/** Makes the cells of the columns of {@link federationColumns}. */
function federationCells(
  { strategy, partition, attack }: Pick<RunSummary, "strategy" | "partition" | "attack">,
  attacked: boolean,
): readonly CellValue[] {
  return [strategy, partition, ...(attacked ? [attack] : [])];
}

/** Makes the columns of an estimate: its mean, and the ends of its interval if it has one. */
function estimateColumns(
  title: string,
  hasInterval: boolean,
  { column }: ScoreWords,
): readonly TableColumn[] {
  const titles = hasInterval ? [title, `${title}, low`, `${title}, high`] : [title];
  return titles.map((one) => ({ title: one, ...column }));
}

/** Makes the cells of the columns of {@link estimateColumns}. */
function estimateCells({ mean, low, high }: Estimate, hasInterval: boolean): readonly CellValue[] {
  return (hasInterval ? [mean, low, high] : [mean]).map(finite);
}

/** Returns words on the number of seeds of the means, and on whether they have intervals. */
function meansWords(seeds: number): string {
  if (seeds === 1) return "of one seed";
  return seeds < LEAST_FOR_INTERVAL
    ? `means over ${seeds} seeds, too few for intervals`
    : "means over seeds with Student's intervals of 95 %";
}

/**
 * Returns words on the meaning of the column of epsilon, and on the strategies that ended at their budget.
 */
function captionOfPrivacy(summaries: readonly RunSummary[]): string {
  const stopped = new Set(
    summaries.flatMap((one) =>
      one.stopped === undefined ? [] : [` ${one.strategy} ended early: ${one.stopped}.`],
    ),
  );
  return ` Epsilon is what the networks of all rounds reveal about one client; empty without a bound.${[...stopped].join("")}`;
}

/** Makes the table of the rounds of every federation. */
export function roundsTable(result: SimulationResult): Table {
  const { runs } = result;
  const { hasErrors, losses, column } = scoreWords(result);
  const isPrivate = runs.some(({ rounds }) => rounds.some(({ epsilon }) => epsilon !== undefined));
  return {
    name: "rounds",
    title: "Rounds",
    caption:
      "Every evaluated round of every federation; bytes are those sent in both directions since the beginning.",
    columns: [
      ...federationColumns(true),
      { title: "Seed", kind: "whole" },
      { title: "Round", kind: "whole" },
      ...(hasErrors ? [{ title: "Accuracy", ...column }] : []),
      { title: "Like own", ...column },
      { title: "Loss", ...lossColumn(losses.unit) },
      { title: "Sent", kind: "number", unit: "MB" },
      { title: "Updates", kind: "whole" },
      { title: "Refused", kind: "whole" },
      ...(isPrivate ? [EPSILON, { title: "Largest norm", kind: "number" as const }] : []),
    ],
    rows: runs.flatMap(({ seed, rounds, ...of }) =>
      rounds.flatMap(({ round, accuracy, local, loss, bytesDown, bytesUp, updates, refused, ...rest }) => {
        if (loss === undefined) return [];
        const refusals = refused.reduce((sum, { count }) => sum + count, 0);
        return {
          cells: [
            ...[...federationCells(of, true), seed, round],
            ...(hasErrors ? [finite(accuracy ?? Number.NaN)] : []),
            ...[
              finite(local ?? Number.NaN),
              finite(loss),
              (bytesDown + bytesUp) / MEGABYTE,
              updates,
              refusals,
            ],
            ...(isPrivate ? [rest.epsilon ?? null, rest.clip ?? null] : []),
          ],
        };
      }),
    ),
    fixed: true,
  };
}

/** Makes the table of the examples of each client by class, for the first seed. */
export function partitionTable({ divisions, seeds }: SimulationResult): Table {
  const shown = divisions.filter(({ seed }) => seed === seeds[0]);
  const classes = Math.max(0, ...shown.flatMap(({ clients }) => clients.map(({ labels }) => labels.length)));
  return {
    name: "partitions",
    title: "Examples of the clients",
    caption: `Numbers of examples${classes === 1 ? "" : " of each class"}, for seed ${seeds[0]}.`,
    columns: [
      { title: "Client", kind: "text" },
      { title: "Partition", kind: "text" },
      { title: "All", kind: "count" },
      ...(classes === 1
        ? []
        : Array.from({ length: classes }, (_, label) => ({
            title: `Class ${label}`,
            kind: "count" as const,
          }))),
    ],
    rows: shown.flatMap(({ partition, clients }) =>
      clients.map(({ client, labels }) => {
        const all = sumOf(labels);
        return { cells: [client, partition, all, ...(classes === 1 ? [] : labels)] };
      }),
    ),
  };
}

/** Makes the table of barriers between clients by layer, means over seeds and pairs. */
export function barriersTable(result: SimulationResult): Table {
  const { runs } = result;
  const groups = new Map<string, { readonly cells: readonly CellValue[]; readonly values: number[] }>();
  for (const { barriers, ...of } of runs) {
    for (const { round, aligned, whole, layers } of barriers) {
      for (const { name, barrier } of [{ name: "all layers", barrier: whole }, ...layers]) {
        const cells = [...federationCells(of, true), round, name, aligned ? "aligned" : "as trained"];
        const key = JSON.stringify(cells);
        const group = groups.get(key) ?? { cells, values: [] };
        group.values.push(barrier);
        groups.set(key, group);
      }
    }
  }
  return {
    name: "barriers",
    title: "Barriers between clients",
    caption:
      "Barriers between the networks that two clients trained in one round: what averaging all layers, or one alone, adds to the mean loss of both, below 0 where it lowers the loss; means over pairs and seeds.",
    columns: [
      ...federationColumns(true),
      { title: "Round", kind: "whole" },
      { title: "Layer", kind: "text" },
      { title: "Networks", kind: "text" },
      { title: "Barrier", ...lossColumn(scaleOf(result).losses.unit) },
    ],
    rows: [...groups.values()].map(({ cells, values }) => ({
      cells: [...cells, meanOf(values)],
    })),
    fixed: true,
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
