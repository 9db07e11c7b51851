/**
 * Times rules that decide on each element, beside np.median and byzfl on the same numbers, in turns.
 *
 *   npx tsx --conditions=@isthmus/source packages/federated/bench/rules.bench.ts [--python /path/to/python]
 *
 * Options: --clients 10,50,200, --elements 65536, --rounds 5, --rules NAME,NAME (all of coordinates by default). Standard
 * output: one JSON object for each rule and number of clients, with the median over the rounds of elements for each second
 * of the processor, so that other programs count little, ours and theirs; without a Python that has byzfl only ours.
 * Displacements are normal numbers in f64, one thread each.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createRandom, entry } from "@isthmus/core";
import { AGGREGATION_RULES } from "@isthmus/federated";
import { resolveParameters } from "@isthmus/merging";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "10,50,200" },
    elements: { type: "string", default: "65536" },
    rounds: { type: "string", default: "5" },
    rules: { type: "string", default: "coordinate-median,trimmed-mean,meamed" },
    python: { type: "string", default: "python3" },
  },
});
const elements = Number(values.elements);
/** Names of the same rules elsewhere. */
const THEIRS: Record<string, readonly string[]> = {
  "coordinate-median": ["np.median", "Median"],
  "trimmed-mean": ["TrMean"],
  meamed: ["Meamed"],
};

const folder = mkdtempSync(join(tmpdir(), "isthmus-rules-"));
const python = spawn(values.python, [fileURLToPath(new URL("./rules-numpy.py", import.meta.url))], {
  stdio: ["pipe", "pipe", "ignore"],
  env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
});
const gone = new Promise<undefined>((resolve) => {
  python.once("error", () => resolve(undefined));
  python.once("exit", () => resolve(undefined));
});
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
const answer = async () => {
  const line = await Promise.race([lines.next(), gone]);
  return line === undefined || line.done ? undefined : JSON.parse(line.value);
};
const versions = await answer();

async function timeTheirs(request: string): Promise<number> {
  python.stdin.write(`${request}\n`);
  return (await answer()).ms;
}

function timeOurs(name: string, displacements: readonly Float64Array[], f: number): number {
  const rule = entry(AGGREGATION_RULES, name);
  if (rule.kind !== "coordinates") throw new Error(`${name} does not decide on each element`);
  const ofRule = "f" in rule.parameters ? { f } : {};
  const parameters = resolveParameters(name, rule.parameters, ofRule, { tensor: "", networks: 1 });
  // Rules may overwrite what they are given.
  const copies = displacements.map((one) => one.slice());
  const out = new Float64Array(elements);
  const before = process.cpuUsage();
  rule.combineInto(copies, parameters, out);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const median = (times: readonly number[]) =>
  [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
const perSecond = (times: readonly number[]) => Math.round((1000 * elements) / median(times));

console.log(JSON.stringify({ elements, node: process.version, ...versions }));
const random = createRandom(1);
for (const clients of values.clients.split(",").map(Number)) {
  const f = Math.floor(clients / 5);
  const all = Float64Array.from({ length: clients * elements }, () => random.normal());
  const path = join(folder, `${clients}.f64`);
  writeFileSync(path, all);
  const displacements = Array.from({ length: clients }, (_, k) =>
    all.subarray(k * elements, (k + 1) * elements),
  );
  for (const name of values.rules.split(",")) {
    const theirs = versions === undefined ? [] : (THEIRS[name] ?? []);
    const times = new Map(["ours", ...theirs].map((key) => [key, [] as number[]]));
    for (let round = 0; round < Number(values.rounds); round++) {
      entry(times, "ours").push(timeOurs(name, displacements, f));
      for (const their of theirs) {
        entry(times, their).push(await timeTheirs(`${their} ${path} ${clients} ${f}`));
      }
    }
    const rates = Object.fromEntries([...times].map(([key, list]) => [key, perSecond(list)]));
    console.log(JSON.stringify({ rule: name, clients, f, elementsPerCpuSecond: rates }));
  }
}
python.stdin.end();
rmSync(folder, { recursive: true, force: true });
