// Measures merges of models of random weights: our saveMerge, mergekit, and `cat` of the same bytes, in turns. Prints a line of JSON for
// each run, and a table of ratios at the end. Uses what is built, so build first.
//
//   npx tsx --conditions=@isthmus/source tools/bench/merge-methods.ts [--methods linear,slerp,...] [--gb 1] [--rounds 3] [--threads 2]
//     [--memory 1GB] [--folder /tmp/isthmus-bench-merge] [--mergekit /path/to/mergekit-yaml] [--keep]
//
// Models are Llama-shaped, in bf16, of two shards each, made once in the folder: two, and a base for methods that need one; they are
// removed at the end unless `--keep`. Time is wall time of a whole process; what is to be written to the disk is written before each run.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MERGE_METHODS } from "@isthmus/merging";

const { values } = parseArgs({
  options: {
    methods: {
      type: "string",
      default: "linear,slerp,task_arithmetic,ties,dare_ties,model_stock,breadcrumbs",
    },
    gb: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    memory: { type: "string", default: "1GB" },
    folder: { type: "string", default: "/tmp/isthmus-bench-merge" },
    mergekit: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const root = fileURLToPath(new URL("../..", import.meta.url));
const gigabytes = Number(values.gb);
const methods = values.methods.split(",").filter((method) => MERGE_METHODS.has(method));
const memory = Number(values.memory.replace(/GB$/, "e9"));
const { folder } = values;

/** What is measured of a process. */
interface Run {
  readonly seconds: number;
  /** Seconds of all cores, for machines that are busy with other things. */
  readonly cpuSeconds: number;
  readonly peakMB: number;
}

/** Shapes as of Llama 3.2 1B, with fewer tokens; the number of layers makes the size. */
const SHAPE = { width: 2048, hidden: 8192, heads: 32, groups: 8, vocabulary: 32_000 };
const LAYER_BYTES = 2 * (2 * SHAPE.width ** 2 + 2 * SHAPE.width * 512 + 3 * SHAPE.width * SHAPE.hidden);
const EMBEDDING_BYTES = 2 * SHAPE.width * SHAPE.vocabulary;

/** Methods of mergekit that compare with a base; the others are given no base, or the first model in its place. */
const WITH_BASE = /^(task_arithmetic|ties|dare|della|breadcrumbs|model_stock|sce)/;

function makeModels(): void {
  const layers = Math.max(1, Math.round((gigabytes * 1e9 - EMBEDDING_BYTES) / LAYER_BYTES));
  for (const [i, name] of ["a", "b", "base"].entries()) {
    if (existsSync(join(folder, name, "config.json"))) continue;
    const sizes = Object.entries(SHAPE).flatMap(([option, value]) => [`--${option}`, String(value)]);
    const shards = [
      "--layers",
      String(layers),
      "--shard-gb",
      String(gigabytes * 0.55),
      "--seed",
      String(i + 1),
    ];
    const tool = join(root, "tools/make-synthetic-llama.ts");
    const tsx = ["tsx", "--conditions=@isthmus/source", tool, join(folder, name)];
    execFileSync("npx", [...tsx, ...sizes, ...shards], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  }
}

/** Runs a command from the root of the repository, and measures it. */
function measure(command: readonly string[]): Run {
  execFileSync("sync");
  const { status, stderr } = spawnSync("/usr/bin/time", ["-f", "%e %M %U %S", ...command], {
    ...{ cwd: root, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "ignore", "pipe"] },
    env: { ...process.env, OMP_NUM_THREADS: values.threads, HF_HUB_OFFLINE: "1" },
  });
  const lines = stderr.trim().split("\n");
  if (status !== 0) throw new Error(`${command[0]} failed: ${lines.slice(-25).join("\n")}`);
  const [seconds = Number.NaN, kilobytes = Number.NaN, user = Number.NaN, system = Number.NaN] = (
    lines.at(-1) ?? ""
  )
    .split(" ")
    .map(Number);
  return { seconds, cpuSeconds: Number((user + system).toFixed(2)), peakMB: Math.round(kilobytes / 1024) };
}

const PROGRAM = `
import { describeFileMerge, MERGE_METHODS, openMergeSource, saveMerge } from "@isthmus/merging";
const { merge, path, options } = JSON.parse(process.argv[1]);
const parameters = Object.fromEntries(
  Object.entries(merge.parameters).filter(([name]) => name in MERGE_METHODS.get(merge.method).parameters));
const source = describeFileMerge({ ...merge, parameters });
const { plan, close } = await openMergeSource(source);
await saveMerge(plan, path, { ...options, source });
await close();
`;

function measureOurs(method: string): Run {
  const networks = ["a", "b"].map((name) => join(folder, name));
  const merge = {
    ...{ networks, method, parameters: { weight: 0.5, density: 0.5, t: 0.5 } },
    ...(WITH_BASE.test(method) && { base: join(folder, "base") }),
  };
  const options = { threads: Number(values.threads), memory, maxShardBytes: gigabytes * 0.55e9 };
  const request = JSON.stringify({ merge, path: join(folder, "out"), options });
  // Within a package, so that the packages of the workspace resolve.
  return measure([process.execPath, "--input-type=module", "-e", PROGRAM, request]);
}

function measureMergekit(method: string, program: string): Run {
  const path = (name: string): string => join(folder, name);
  const models = ["a", "b"].map((name) => ({ model: path(name), parameters: { weight: 0.5, density: 0.5 } }));
  const base = WITH_BASE.test(method) ? path("base") : method === "slerp" ? path("a") : undefined;
  // YAML reads JSON.
  const recipe = {
    ...{ models, merge_method: method, dtype: "bfloat16", parameters: method === "slerp" ? { t: 0.5 } : {} },
    ...(base !== undefined && { base_model: base }),
  };
  writeFileSync(path("recipe.yml"), JSON.stringify(recipe));
  const options = ["--no-copy-tokenizer", "--no-write-model-card", "--num-threads", values.threads];
  return measure([program, path("recipe.yml"), path("out"), ...options]);
}

/** Reads the bytes that a merge reads, and writes as many as it writes. */
function measureCat(method: string): Run {
  const read = WITH_BASE.test(method) ? "b base" : "b";
  const files = read.split(" ").map((name) => `${join(folder, name)}/*.safetensors`);
  mkdirSync(join(folder, "out"));
  const command = `cat ${folder}/a/*.safetensors > ${folder}/out/x; cat ${files.join(" ")} > /dev/null`;
  return measure(["sh", "-c", command]);
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((x, y) => x - y)[Math.floor(numbers.length / 2)] ?? Number.NaN;

mkdirSync(folder, { recursive: true });
const disk = statfsSync(folder);
// Models that an earlier run kept are there already.
const needed = (existsSync(join(folder, "base", "config.json")) ? 2 : 5) * gigabytes;
if (disk.bavail * disk.bsize < needed * 1e9) throw new Error(`${folder} must have room for ${needed} GB`);
try {
  makeModels();
  const runs: ({ readonly method: string; readonly program: string } & Run)[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const method of methods) {
      const programs: Record<string, () => Run> = {
        cat: () => measureCat(method),
        isthmus: () => measureOurs(method),
        ...(values.mergekit !== undefined && {
          mergekit: () => measureMergekit(method, values.mergekit ?? ""),
        }),
      };
      for (const [program, run] of Object.entries(programs)) {
        rmSync(join(folder, "out"), { recursive: true, force: true });
        const line = { method, program, round, gigabytes, ...run() };
        console.log(JSON.stringify(line));
        runs.push(line);
      }
    }
  }
  const rows = methods.map((method) => {
    const of = (program: string) => runs.filter((run) => run.method === method && run.program === program);
    const seconds = (program: string): number => median(of(program).map((run) => run.seconds));
    const cpu = (program: string): number => median(of(program).map((run) => run.cpuSeconds));
    const peak = (program: string): number => Math.max(...of(program).map((run) => run.peakMB));
    return {
      method,
      "cat s": seconds("cat"),
      "isthmus s": seconds("isthmus"),
      "isthmus / cat": Number((seconds("isthmus") / seconds("cat")).toFixed(2)),
      "CPU of isthmus / cat": Number((cpu("isthmus") / cpu("cat")).toFixed(2)),
      "isthmus MB": peak("isthmus"),
      ...(values.mergekit !== undefined && {
        "mergekit s": seconds("mergekit"),
        "mergekit / isthmus": Number((seconds("mergekit") / seconds("isthmus")).toFixed(2)),
        "CPU of mergekit / isthmus": Number((cpu("mergekit") / cpu("isthmus")).toFixed(2)),
        "mergekit MB": peak("mergekit"),
      }),
    };
  });
  console.table(rows);
} finally {
  rmSync(join(folder, "out"), { recursive: true, force: true });
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
}
