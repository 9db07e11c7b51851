// Measures every claim of speed beside its peer, and writes docs/speed.json, docs/speed-history.json and docs/speed.md.
//
//   npm run bench -- --python PYTHON [--mergekit PYTHON] [--full] [--only WORDS] [--rounds 3] [--seconds 1] [--threads 2] [--force] [--check]
//
// PYTHON must have torch, safetensors, scipy and, for curvature, curvlinops and pyhessian:
//
//   pip install --no-deps pyhessian curvlinops-for-pytorch backpack-for-pytorch einops einconv linear-operator jaxtyping wadler-lindig unfoldNd
//
// and the other one mergekit 0.1.5 with torch; without it merges are left out.
//
// Rows are in rows.ts. --full tries all settings of the peers, and rows whose unit takes long; --only takes rows whose names hold the
// words, and prints a table without writing files; --check times nothing: it does each row once on both sides and compares what they
// compute, whatever the load. On a machine that is busy files are written with --force only, and say so.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../packages.mjs";
import { checkRow, type MeasureOptions, measureRow, type RowTimes } from "./measure-row.ts";
import { SPEED_ROWS, type SpeedRow } from "./rows.ts";
import { type SpeedResult, speedPage, speedTable } from "./speed-page.ts";

/** Load above which other programs distort times. */
const QUIET = 1.5;

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    mergekit: { type: "string" },
    full: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    force: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
});

const load = loadavg()[0] ?? Number.NaN;
const underLoad = load > QUIET;
if (underLoad) {
  console.error(
    `\n*** UNDER LOAD: the machine's load is ${load.toFixed(2)}, above ${QUIET}. Other programs are running, and these times say little. ***\n`,
  );
}

const options: MeasureOptions = {
  python: values.python,
  mergekit: values.mergekit ?? "",
  threads: Number(values.threads),
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  quick: !values.full,
};
const isTaken = ({ name, long, task }: SpeedRow) =>
  (task.kind !== "merge" || values.mergekit !== undefined) &&
  (values.only === undefined ? !long || values.full : name.includes(values.only));
const taken = SPEED_ROWS.filter(isTaken);
if (values.check) {
  for (const row of taken) console.log(`${row.name}: ${await checkRow(row, options)}`);
  process.exit();
}

const rows: RowTimes[] = [];
for (const row of taken) {
  const times = await measureRow(row, options);
  rows.push(times);
  const { ours, theirs, peer, ratio, spread } = times;
  const range = spread.map((each) => each.toFixed(2)).join(" to ");
  console.error(
    `${row.name}: ratio ${ratio.toFixed(2)} (${range}), ours ${ours.toPrecision(4)} ms, ${peer} ${theirs.toPrecision(4)} ms`,
  );
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
const result: SpeedResult = {
  suite: values.full ? "full" : "quick",
  began: new Date(Date.now() - performance.now()).toISOString(),
  commit,
  machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores`,
  device: "processor",
  threads: Number(values.threads),
  load,
  underLoad,
  node: process.versions.node,
  rows,
};
if (values.only !== undefined) console.log(speedTable(rows));
else if (underLoad && !values.force) {
  console.error(
    `Nothing is written, as the load was ${load.toFixed(2)} when the run began: run it on a quiet machine, or add --force to write "under load" into the page`,
  );
  console.log(JSON.stringify(result));
} else write(result);

/** Writes the result and the page, and adds the ratios to the history of runs. */
function write(latest: SpeedResult): void {
  const docs = join(root, "docs");
  const past = join(docs, "speed-history.json");
  const history: unknown[] = existsSync(past) ? JSON.parse(readFileSync(past, "utf8")) : [];
  const { rows: measured, ...run } = latest;
  const ratios = Object.fromEntries(measured.map(({ name, ratio }) => [name, Number(ratio.toFixed(3))]));
  const lines = [...history, { ...run, ratios }].map((entry) => JSON.stringify(entry));
  writeFileSync(past, `[\n${lines.join(",\n")}\n]\n`);
  writeFileSync(join(docs, "speed.json"), `${JSON.stringify(latest, undefined, 2)}\n`);
  writeFileSync(join(docs, "speed.md"), speedPage(latest));
}
