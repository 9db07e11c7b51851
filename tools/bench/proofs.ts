// What finding and proving the symmetries of a graph costs, stage by stage.
//
//   npx tsx --conditions=@isthmus/source tools/bench/proofs.ts [--seed N] GRAPH...
//
// Prints one JSON object a graph: CPU seconds (of all threads) of reading, of finding permutations and all else, and
// of the proof; the largest resident set in MiB after each stage; and what was proved. Weights are random, of the seed.
// Each graph is measured in a process of its own, so that the memory of one does not hide that of the next.
import { spawnSync } from "node:child_process";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { readGraph } from "@isthmus/graph";
import { discoverContinuous, discoverSymmetries, proveSymmetries } from "@isthmus/symmetry";

const { values, positionals: paths } = parseArgs({
  options: { seed: { type: "string", default: "0" } },
  allowPositionals: true,
});
const [path] = paths;
if (path === undefined) {
  console.error("usage: proofs.ts [--seed N] GRAPH...");
  process.exit(2);
}

if (paths.length > 1) {
  for (const one of paths) {
    const call = [...process.execArgv, fileURLToPath(import.meta.url), "--seed", values.seed, one];
    const { status } = spawnSync(process.execPath, call, { stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
} else {
  console.log(JSON.stringify(await measure(path, Number(values.seed))));
}

async function measure(file: string, seed: number): Promise<object> {
  const cpuSeconds: Record<string, number> = {};
  const peakMiB: Record<string, number> = {};
  const timed = async <T>(stage: string, work: Promise<T>): Promise<T> => {
    const started = process.cpuUsage();
    const result = await work;
    const { user, system } = process.cpuUsage(started);
    cpuSeconds[stage] = Number(((user + system) / 1e6).toFixed(2));
    peakMiB[stage] = Math.round(process.resourceUsage().maxRSS / 1024);
    return result;
  };
  const { graph } = await timed("read", readGraph(file));
  const architecture = { graph, engine: createOnnxRuntimeEngine() };
  const symmetries = await timed("permutations", discoverSymmetries(architecture));
  const beyond = await timed("beyond", discoverContinuous(architecture, symmetries));
  const proof = await timed("proof", proveSymmetries(architecture, symmetries, { seed, ...beyond }));
  const { passed, tensors, maxRelativeError, outputError, linear, mixing, dropped } = proof;
  return {
    graph: basename(file, ".onnx"),
    seed,
    cpuSeconds,
    peakMiB,
    passed,
    tensors,
    maxRelativeError,
    outputError,
    kinds: linear.map(({ kind }) => kind),
    mixes: mixing !== null,
    dropped: dropped.length,
  };
}
