/**
 * Times merging two large checkpoints, as a whole process, against reading both and writing one with `cat`, in turns.
 *
 *   node tools/make-checkpoint.mjs /tmp/a.safetensors --seed 1
 *   node tools/make-checkpoint.mjs /tmp/b.safetensors --seed 2
 *   npx tsx --conditions=@isthmus/source packages/core/bench/merge.bench.ts /tmp/a.safetensors /tmp/b.safetensors
 *
 * Options: --rounds N, --folder DIR for the outputs (the inputs' by default). Needs a build, as it runs the command
 * line's. Standard output: one JSON object. Before each turn what was written is removed and the disk has settled, so
 * that neither pays for the other.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, folder: { type: "string" } },
});
const [a, b] = positionals;
if (a === undefined || b === undefined) {
  console.error("usage: merge.bench.ts A.safetensors B.safetensors [--rounds N] [--folder DIR]");
  process.exit(2);
}
const folder = values.folder ?? dirname(a);
const copy = join(folder, "bench-copy");
const merged = join(folder, "bench-merged.safetensors");
const cli = fileURLToPath(new URL("../../cli/bin/isthmus.js", import.meta.url));

/** Seconds a command takes. */
function time(command: string, args: readonly string[]): number {
  for (const file of [copy, merged]) rmSync(file, { force: true });
  execFileSync("sync");
  const begin = performance.now();
  const { status } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new TypeError(`Cannot time ${command} as it must succeed: it ended with ${status}`);
  return (performance.now() - begin) / 1000;
}

/** Largest resident memory of a merge, in MB. */
function peakMemory(): number {
  const report = spawnSync("/usr/bin/time", ["-f", "%M", process.execPath, cli, ...mergeArgs], {
    encoding: "utf8",
  });
  return Number(report.stderr?.trim().split("\n").at(-1)) / 1024;
}

function median(times: readonly number[]): number {
  return times.toSorted((x, y) => x - y)[times.length >> 1]!;
}

const mergeArgs = ["merge", a, b, "-o", merged, "--quiet"];
const cats: number[] = [];
const merges: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  cats.push(time("sh", ["-c", 'cat "$1" "$2" >/dev/null; cat "$1" > "$3"', "sh", a, b, copy]));
  merges.push(time(process.execPath, [cli, ...mergeArgs]));
  console.error(`cat ${cats.at(-1)?.toFixed(2)} s, merge ${merges.at(-1)?.toFixed(2)} s`);
}
const result = { catSeconds: median(cats), mergeSeconds: median(merges), peakMb: peakMemory() };
for (const file of [copy, merged]) rmSync(file, { force: true });
console.log(JSON.stringify({ ...result, ratio: result.mergeSeconds / result.catSeconds, cats, merges }));
