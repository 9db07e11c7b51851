import type { StudyFigure, StudyResult, StudyTable, StudyValue } from "@isthmus/study";
import { LIMIT_WORDS } from "./core/find-limit.ts";
import type { ScalePoint, Scaling } from "./core/scale.ts";
import { type Measured, mustFind } from "./measured.ts";
import type { Variant } from "./variants.ts";

/** All that was simulated. */
export interface ClusterResult {
  readonly queue: string;
  readonly seed: number;
  readonly measured: Measured;
  readonly scalings: readonly Scaling[];
  readonly variants: readonly Variant[];
}

type Row = Readonly<Record<string, StudyValue>>;

const IDEAL = "as many times as fast as there are workers";
const HOUR = 3600;

/** Describes what was simulated as a study, which reports can draw. */
export function describeClusters(result: ClusterResult): StudyResult {
  return {
    kind: "study",
    title: "What clusters of 1 to 1,000 workers would take",
    description: summarise(result),
    tables: [
      limitsTable(result),
      scalingTable(result),
      ...result.scalings.flatMap((scaling) => [timesTable(scaling), useTable(scaling)]),
      variantsTable(result),
      inputsTable(result.measured),
      tasksTable(result.measured),
    ],
    figures: FIGURES,
    seed: result.seed,
  };
}

/** Names a limit, or two that hold a cluster back together. */
export const limitWords = (names: readonly string[]): string =>
  names.map((name) => mustFind(LIMIT_WORDS, name, "name of the limit")).join(" and ");

function summarise({ scalings, queue, measured }: ClusterResult): string {
  const sentences = scalings.map(({ title, points, stops }) => {
    const most = points.reduce((best, one) => (one.speedup > best.speedup ? one : best));
    const end =
      stops === undefined
        ? "and more than half of all workers are used throughout"
        : `and from ${stops.workers.toLocaleString("en")} workers on less than half of them is used: ${limitWords(stops.limit)}`;
    return `${title}: ${most.speedup.toFixed(0)} times as fast with ${most.workers.toLocaleString("en")} workers, ${end}.`;
  });
  return `A simulation, not a measurement of a cluster: tasks take the times that were measured on ${measured.machine}, the queue is ${queue}, and what needs a cluster is assumed, as the table of inputs says. ${sentences.join(" ")}`;
}

const column = (key: string, title: string, unit?: string): StudyTable["columns"][number] => ({
  ...{ key, title },
  ...(unit === undefined ? {} : { unit }),
});

function limitsTable({ scalings }: ClusterResult): StudyTable {
  const columns = [
    ...[column("title", "Workload"), column("tasks", "Tasks"), column("alone", "One worker", "h")],
    ...[
      column("path", "Longest chain", "h"),
      column("most", "Greatest speed-up"),
      column("at", "At workers"),
    ],
    ...[column("stops", "Half used up to"), column("why", "What ends it")],
  ];
  const rows = scalings.map(({ title, tasks, criticalPath, points, stops }): Row => {
    const most = points.reduce((best, one) => (one.speedup > best.speedup ? one : best));
    const last = points.filter(({ efficiency }) => efficiency >= 0.5).at(-1);
    return {
      ...{ title, tasks, alone: round((points[0]?.makespan ?? Number.NaN) / HOUR) },
      ...{ path: round(criticalPath / HOUR), most: round(most.speedup), at: most.workers },
      ...{ stops: last?.workers ?? null, why: endWords(stops?.limit, points.at(-1)) },
    };
  });
  return { name: "limits", title: "Where clusters stop scaling", columns, rows };
}

/** Names what ends scaling, or what is next to end it. */
function endWords(limit: readonly string[] | undefined, last: ScalePoint | undefined): string {
  if (limit !== undefined) return limitWords(limit);
  return last === undefined ? "" : `nothing yet; next: ${limitWords(last.limit.names)}`;
}

/** All workloads below each other, for figures of all. */
function scalingTable({ scalings }: ClusterResult): StudyTable {
  const columns = [
    ...[column("title", "Workload"), column("workers", "Workers"), column("speedup", "Speed-up")],
    ...[column("hours", "Time", "h"), column("cost", "Cost", "USD"), column("used", "Used for computing")],
  ];
  const counts = scalings[0]?.points.map(({ workers }) => workers) ?? [];
  const rows: Row[] = [
    ...scalings.flatMap(({ title, points }) =>
      points.map(({ workers, speedup, makespan, cost, shares }) => ({
        ...{ title, workers, speedup: round(speedup), hours: Number((makespan / HOUR).toPrecision(7)) },
        ...{ cost: round(cost), used: round(shares.compute) },
      })),
    ),
    ...counts.map((workers) => ({
      ...{ title: IDEAL, workers, speedup: workers, hours: null, cost: null, used: null },
    })),
  ];
  return { name: "scaling", title: "All workloads", columns, rows };
}

/** Tells how long a workload takes by the number of workers, and what holds it back. */
function timesTable({ workload, title, points }: Scaling): StudyTable {
  const columns = [
    ...[column("workers", "Workers"), column("time", "Time"), column("speedup", "Speed-up")],
    ...[column("efficiency", "Efficiency"), column("cost", "Cost", "USD")],
    ...[column("limit", "Limit"), column("without", "Saved without it")],
  ];
  const rows = points.map(
    ({ workers, makespan, speedup, efficiency, cost, limit }): Row => ({
      ...{ workers, time: timeWords(makespan), speedup: round(speedup), efficiency: share(efficiency) },
      ...{ cost: round(cost), limit: limitWords(limit.names) },
      without: limit.names[0] === "none" ? null : share(1 - limit.makespan / makespan),
    }),
  );
  return { name: workload, title, columns, rows };
}

/** Tells what workers spend their time on, and how busy all else is. */
function useTable({ workload, title, points }: Scaling): StudyTable {
  const columns = [
    ...[column("workers", "Workers"), column("compute", "Computing"), column("transfer", "Moving files")],
    ...[column("asking", "Asking the queue"), column("lost", "Lost"), column("idle", "Idle")],
    ...[
      column("storage", "Storage full"),
      column("queue", "Queue busy"),
      column("waiting", "Planning and noting"),
    ],
  ];
  const rows = points.map(
    ({ workers, shares, storage, queue, waiting }): Row => ({
      ...{
        workers,
        compute: share(shares.compute),
        transfer: share(shares.transfer),
        asking: share(shares.queue),
      },
      ...{ lost: share(shares.lost), idle: share(shares.idle) },
      ...{ storage: share(storage), queue: share(queue), waiting: share(waiting) },
    }),
  );
  return { name: `${workload}-use`, title: `${title}: shares of the time`, columns, rows };
}

function variantsTable({ variants }: ClusterResult): StudyTable {
  const columns = [
    ...[column("title", "Workload"), column("differs", "On"), column("workers", "Workers")],
    ...[column("time", "Time"), column("speedup", "Speed-up"), column("cost", "Cost", "USD")],
    column("limit", "Limit"),
  ];
  const rows = variants.map(
    ({ title, differs, workers, makespan, speedup, cost, limit }): Row => ({
      ...{ title, differs, workers, time: timeWords(makespan), speedup: round(speedup), cost: round(cost) },
      limit: limitWords(limit.names),
    }),
  );
  return { name: "variants", title: "With other queues, storages and failures", columns, rows };
}

function inputsTable({ quantities, queues }: Measured): StudyTable {
  const columns = [
    ...[column("name", "Input"), column("value", "Value"), column("unit", "Unit")],
    ...[column("source", "Source"), column("how", "How")],
  ];
  const all = [
    ...Object.entries(queues).flatMap(([queue, numbers]) =>
      Object.entries(numbers).map(([name, quantity]) => [`${queue}: ${name}`, quantity] as const),
    ),
    ...Object.entries(quantities),
  ];
  const rows = all.map(
    ([name, { value, unit, source, how }]): Row => ({
      ...{ name, value: String(Number(value.toPrecision(3))), unit, source, how },
    }),
  );
  return { name: "inputs", title: "What the simulation starts from", columns, rows };
}

function tasksTable({ tasks }: Measured): StudyTable {
  const columns = [
    ...[column("name", "Task"), column("count", "Measured"), column("round", "A round", "s")],
    ...[column("unit", "A thousand units", "s"), column("spread", "Spread")],
  ];
  const rows = Object.entries(tasks).map(
    ([name, { count, perRound, perUnit, spread }]): Row => ({
      ...{ name, count, round: round(perRound), unit: round(1000 * perUnit), spread: round(spread) },
    }),
  );
  return { name: "tasks", title: "Measured times of tasks", columns, rows };
}

const FIGURES: readonly StudyFigure[] = [
  {
    ...{ title: "Speed-up", table: "scaling", mark: "line", x: "workers", y: "speedup", series: "title" },
    ...{ xScale: "log", yScale: "log" },
    caption: "How many times as fast as one worker, by the number of workers.",
  },
  {
    ...{ title: "Cost against time", table: "scaling", mark: "line", x: "hours", y: "cost", series: "title" },
    ...{ xScale: "log", yScale: "log" },
    caption:
      "Each mark is a number of workers, 1 on the right and 1,000 on the left; the workers that wait are paid as well.",
  },
  {
    ...{
      title: "Use",
      table: "scaling",
      mark: "line",
      x: "workers",
      y: "used",
      series: "title",
      xScale: "log",
    },
    caption: "Share of the workers' time in which they compute.",
  },
];

const round = (value: number): number => Number(value.toPrecision(4));
const share = (value: number): number => Number(value.toFixed(3));

/** Writes seconds in the largest unit that leaves more than one. */
function timeWords(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ["d", 86_400],
    ["h", HOUR],
    ["min", 60],
  ];
  const [name, size] = units.find(([, length]) => seconds >= 2 * length) ?? ["s", 1];
  return `${Number((seconds / size).toPrecision(3))} ${name}`;
}
