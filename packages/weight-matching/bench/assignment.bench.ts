/**
 * Times `solveAssignment` against SciPy on the same f32 matrices, in turns, in one run.
 *
 *   npx tsx --conditions=@isthmus/source packages/weight-matching/bench/assignment.bench.ts --python python3
 *
 * Options: --python PATH (without it SciPy is left out), --sizes 512,1024,2048,4096, --classes a,b, --rounds N, --seed N,
 * --munkres (times munkres-js too, at 512 uniform).
 * Standard output: one JSON object for each class and size. Standard error: progress, then a table.
 *
 * `cold` starts from a plain Float32Array and copies it; `view` finds the costs in the memory of a solver, where a GEMM can write them;
 * `warm` (copies too) solves the matrix after a change of 1 % of its standard deviation, from the duals before the change, and is
 * compared with `coldMoved`, the same matrix solved cold.
 */
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import {
  type AssignmentResult,
  type CostMatrix,
  certifyAssignment,
  createAssignmentSolver,
  solveAssignment,
} from "@isthmus/weight-matching";
import { COST_CLASSES, type CostClass, createCosts, perturbCosts } from "./cost-matrices.ts";
import { type ScipyOracle, startScipy } from "./scipy-oracle.ts";

/** Least ratio to SciPy asked for at each size. */
const TARGETS: Readonly<Record<number, number>> = { 512: 4, 1024: 8, 2048: 15, 4096: 25 };
/** Share of the standard deviation by which a matrix changes before the warm solve. */
const CHANGE = 0.01;
/** Time spent on each kind of solve in a round, so that small sizes are solved often. */
const ROUND_MS = 60;
/** Solves before the first one timed: WebAssembly is compiled twice, the second time while it runs. */
const WARM_UP_MS = 400;

interface Row {
  readonly class: CostClass;
  readonly n: number;
  readonly scipyMs: number | null;
  readonly coldMs: number;
  readonly viewMs: number;
  readonly coldMovedMs: number;
  readonly warmMs: number;
  readonly ratio: number | null;
  readonly viewRatio: number | null;
  readonly warmGain: number;
  readonly target: number | null;
  readonly relativeGap: number;
  readonly sameOptimum: boolean | null;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** Solves until `budget` is spent, at least once; adds the times in ms to `times` and returns the last result. */
function time(times: number[], solve: () => AssignmentResult, prepare?: () => void): AssignmentResult {
  const end = performance.now() + ROUND_MS;
  for (;;) {
    prepare?.();
    const start = performance.now();
    const result = solve();
    const now = performance.now();
    times.push(now - start);
    if (now > end) return result;
  }
}

function magnitudeOf(cost: CostMatrix, result: AssignmentResult): number {
  return result.assignment.reduce((sum, j, i) => sum + Math.abs(cost.data[i * cost.columns + j]!), 0);
}

async function measure(
  kind: CostClass,
  n: number,
  settings: { readonly seed: number; readonly rounds: number; readonly scipy: ScipyOracle | undefined },
): Promise<Row> {
  const data = createCosts(kind, n, settings.seed);
  const cost: CostMatrix = { data, rows: n, columns: n };
  const moved: CostMatrix = { ...cost, data: perturbCosts(data, CHANGE, settings.seed + 1) };
  const solver = createAssignmentSolver(n, n);
  const view = solver.costs(n, n);
  const inPlace: CostMatrix = { ...cost, data: view };
  const first = solveAssignment(cost);
  const duals = first.columnDuals;
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) {
    solveAssignment(cost);
    solveAssignment(moved, { duals });
  }
  const times = { scipy: [], cold: [], view: [], coldMoved: [], warm: [] } as Record<string, number[]>;
  let objective: number | undefined;
  let results: [CostMatrix, AssignmentResult][] = [];
  for (let round = 0; round < settings.rounds; ++round) {
    const oracle = await (round === 0 ? settings.scipy?.solve(data, n) : settings.scipy?.again());
    if (oracle !== undefined) {
      times["scipy"]!.push(oracle.ms);
      objective = oracle.objective;
    }
    results = [
      [cost, time(times["cold"]!, () => solveAssignment(cost))],
      [
        cost,
        time(
          times["view"]!,
          () => solver.solve(inPlace),
          () => view.set(data),
        ),
      ],
      [moved, time(times["coldMoved"]!, () => solveAssignment(moved))],
      [moved, time(times["warm"]!, () => solveAssignment(moved, { duals }))],
    ];
  }
  const gaps = results.map(([matrix, result]) => {
    const { gap } = certifyAssignment(matrix, result);
    return Math.max(gap, result.gap) / magnitudeOf(matrix, result);
  });
  const ms = (name: string): number => median(times[name]!);
  const scipyMs = objective === undefined ? null : ms("scipy");
  return {
    class: kind,
    n,
    scipyMs,
    coldMs: ms("cold"),
    viewMs: ms("view"),
    coldMovedMs: ms("coldMoved"),
    warmMs: ms("warm"),
    ratio: scipyMs === null ? null : scipyMs / ms("cold"),
    viewRatio: scipyMs === null ? null : scipyMs / ms("view"),
    warmGain: ms("coldMoved") / ms("warm"),
    target: TARGETS[n] ?? null,
    relativeGap: Math.max(...gaps),
    sameOptimum:
      objective === undefined
        ? null
        : Math.abs(first.objective - objective) <= 1e-12 * magnitudeOf(cost, first),
  };
}

function measureMunkres(seed: number): void {
  const munkres = createRequire(import.meta.url)("munkres-js") as (costs: number[][]) => unknown;
  const n = 512;
  const data = createCosts("uniform", n, seed);
  const times: number[] = [];
  time(times, () => solveAssignment({ data, rows: n, columns: n }));
  const table = Array.from({ length: n }, (_, i) => Array.from(data.subarray(i * n, i * n + n)));
  const start = performance.now();
  munkres(table);
  const munkresMs = performance.now() - start;
  console.log(JSON.stringify({ class: "uniform", n, munkresMs, ratio: munkresMs / median(times) }));
}

function printTable(rows: readonly Row[]): void {
  const number = (x: number | null, digits: number): string => (x === null ? "-" : x.toFixed(digits));
  const cells = rows.map((row) => [
    row.class,
    String(row.n),
    number(row.scipyMs, 2),
    number(row.coldMs, 3),
    number(row.ratio, 1),
    number(row.viewMs, 3),
    number(row.viewRatio, 1),
    number(row.target, 0),
    number(row.coldMovedMs, 3),
    number(row.warmMs, 3),
    number(row.warmGain, 1),
    row.relativeGap.toExponential(0),
    String(row.sameOptimum ?? "-"),
  ]);
  const head =
    "class|n|scipy ms|cold ms|ratio|view ms|ratio|target|moved cold|warm ms|gain|rel. gap|same".split("|");
  const widths = head.map((title, k) => Math.max(title.length, ...cells.map((row) => row[k]!.length)));
  for (const row of [head, ...cells])
    console.error(row.map((cell, k) => cell.padStart(widths[k]!)).join("  "));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      python: { type: "string" },
      sizes: { type: "string", default: "512,1024,2048,4096" },
      classes: { type: "string", default: COST_CLASSES.join(",") },
      rounds: { type: "string", default: "3" },
      seed: { type: "string", default: "1" },
      munkres: { type: "boolean", default: false },
    },
  });
  const scipy = values.python === undefined ? undefined : await startScipy(values.python);
  if (scipy === undefined) {
    console.error(
      values.python === undefined
        ? "NO SCIPY: its times and optima are left out; give an interpreter that has it with --python"
        : `NO SCIPY: ${values.python} does not run or has no SciPy; its times and optima are left out`,
    );
  } else {
    console.error(`SciPy ${scipy.version}, Node ${process.version}`);
  }
  const seed = Number(values.seed);
  const rows: Row[] = [];
  for (const n of values.sizes.split(",").map(Number)) {
    for (const kind of values.classes.split(",") as CostClass[]) {
      const row = await measure(kind, n, { seed, rounds: Number(values.rounds), scipy });
      console.log(JSON.stringify(row));
      rows.push(row);
    }
  }
  scipy?.close();
  if (values.munkres) measureMunkres(seed);
  printTable(rows);
}

await main();
