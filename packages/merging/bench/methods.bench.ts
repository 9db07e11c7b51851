/**
 * Times merge methods on one bf16 tensor of two networks and a base in files, against reading all three and writing one
 * with `cat`, in turns.
 *
 *   npx tsx --conditions=@isthmus/source packages/merging/bench/methods.bench.ts [--megabytes 256] [--rounds 3]
 *
 * Options: --methods NAME,NAME (all by default), --folder DIR for the files. Standard output: one JSON object for each
 * method, with the median time of the rounds, the processor time of all its threads, the bytes of all inputs and the
 * result over the first, and how many times the time of `cat` it is; on a busy machine compare processor times. `npm run bench` of the repository times mergekit beside some of them.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  allocateData,
  createCheckpoint,
  createRandom,
  createTensor,
  fromFloat32Into,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import { MERGE_METHODS, type MergeMethod, merge } from "@isthmus/merging";

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "256" },
    rounds: { type: "string", default: "3" },
    methods: { type: "string", default: [...MERGE_METHODS.keys()].join(",") },
    folder: { type: "string", default: join(tmpdir(), "isthmus-methods-bench") },
  },
});
const COLUMNS = 4096;
const rows = Math.round((Number(values.megabytes) * 2 ** 20) / 2 / COLUMNS);
const folder = join(values.folder, String(rows));
const path = (name: string) => join(folder, `${name}.safetensors`);
const NAMES = ["base", "first", "second"];

/** Values that make each method do all of its work. */
const PARAMETERS: Record<string, number | boolean> = {
  ...{ weight: 0.5, density: 0.5, t: 0.5, select_topk: 0.5, gamma: 0.01, epsilon: 0.1 },
};

/** Milliseconds of the clock, and of the processor. */
interface Times {
  readonly wall: number;
  readonly cpu: number;
}

/** Weights of standard deviation 0.02, and networks that are fine-tuned from them: 0.002 away. */
async function writeNetworks(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const random = createRandom(1, "methods");
  const normal = Float32Array.from({ length: 1 << 20 }, () => random.normal());
  for (const [k, name] of NAMES.entries()) {
    const numbers = new Float32Array(COLUMNS);
    const data = allocateData("bf16", rows * COLUMNS);
    for (let row = 0; row < rows; row++) {
      const at = random.integer(1 << 19);
      const start = (row * 7919) % (1 << 19);
      for (let i = 0; i < COLUMNS; i++) {
        numbers[i] = 0.02 * Number(normal[start + i]) + (k === 0 ? 0 : 0.002 * Number(normal[at + i]));
      }
      fromFloat32Into(numbers, "bf16", data.subarray(row * COLUMNS, (row + 1) * COLUMNS));
    }
    await saveCheckpoint(createCheckpoint({ w: createTensor("bf16", [rows, COLUMNS], data) }), path(name));
  }
}

async function timeMethod(method: MergeMethod): Promise<Times> {
  const [base, ...networks] = await Promise.all(NAMES.map((name) => openCheckpoint(path(name))));
  const parameters = Object.fromEntries(
    Object.keys(method.parameters).flatMap((name) => (name in PARAMETERS ? [[name, PARAMETERS[name]]] : [])),
  );
  if (method.name.startsWith("ram")) Object.assign(parameters, { epsilon: 1e-5 });
  if (method.name === "nearswap") Object.assign(parameters, { t: 0.001 });
  const merged = merge(networks.slice(0, method.networks.most ?? 2), {
    ...{ method, parameters },
    base: method.networks.base === "none" ? undefined : base,
  });
  const begin = performance.now();
  const before = process.cpuUsage();
  await saveCheckpoint(merged, path("out"), { overwrite: true });
  const { user, system } = process.cpuUsage(before);
  const time = { wall: performance.now() - begin, cpu: (user + system) / 1000 };
  await Promise.all([base, ...networks].map((network) => network?.close()));
  return time;
}

function timeCat(): Times {
  const inputs = NAMES.map((name) => `'${path(name)}'`).join(" ");
  const begin = performance.now();
  const command = `cat ${inputs} > /dev/null && cat '${path("first")}' > '${path("cat")}' && sync '${path("cat")}' && times`;
  const report = execFileSync("sh", ["-c", command], { encoding: "utf8" });
  const wall = performance.now() - begin;
  // The second line of `times` is what children took: minutes and seconds of user and system time.
  const parts = [...(report.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  return { wall, cpu: parts.reduce((sum, [, m, s]) => sum + 1000 * (60 * Number(m) + Number(s)), 0) };
}

const median = (times: readonly number[]) =>
  [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;

if (!existsSync(path("second"))) await writeNetworks();
const methods = values.methods.split(",").flatMap((name) => MERGE_METHODS.get(name) ?? []);
const times = new Map(methods.map((method) => [method.name, [] as Times[]]));
const catTimes: Times[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  catTimes.push(timeCat());
  for (const method of methods) times.get(method.name)?.push(await timeMethod(method));
}
const bytes = 4 * rows * COLUMNS * 2;
const cat = median(catTimes.map(({ wall }) => wall));
for (const [method, all] of [["cat", catTimes] as const, ...times]) {
  const [ms, cpuMs] = [median(all.map(({ wall }) => wall)), median(all.map(({ cpu }) => cpu))];
  const rounded = { ms: Math.round(ms), cpuMs: Math.round(cpuMs), timesCat: Number((ms / cat).toFixed(2)) };
  console.log(
    JSON.stringify({ method, gigabytesPerSecond: Number((bytes / ms / 1e6).toFixed(3)), ...rounded }),
  );
}
rmSync(path("out"), { force: true });
rmSync(path("cat"), { force: true });
