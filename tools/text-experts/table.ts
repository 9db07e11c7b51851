/**
 * Merges three language models that were fine-tuned from one on three corpora, in many ways, and measures each result on
 * the test text of each corpus.
 *
 *     npx tsx --conditions=@isthmus/source tools/text-experts/table.ts --in FOLDER --out FOLDER [--first-layer N] [--only ROW,...] [--jobs N] [--measured TOKENS]
 *
 * FOLDER is what `train.py` beside this file wrote, N its `--first-layer` if feed-forward networks alone were tuned. Each row is made by command lines of `isthmus`, which the table keeps.
 * Networks are measured on 16,384 tokens of each test text, or as many as `--measured` says; `all` are its first nine tenths.
 * Rows are made in processes of their own, `--jobs` at a time; with `--row` one row is made, and printed.
 * Prints one JSON line a row, and writes `table.json` and `table.md`; rows that are there are kept unless `--only` names them.
 * The share of an expert's gain that a row keeps is
 * (loss of the base - loss of the row) / (loss of the base - loss of the expert) on the expert's text.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { main } from "@isthmus/cli";
import { openCheckpoint, sizeOf } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator } from "@isthmus/graph";
import { openBound } from "@isthmus/zoo";
import { CORPORA, type Corpus, type Row, rowsOf } from "./rows.ts";

const { values: args } = parseArgs({
  options: {
    in: { type: "string" },
    out: { type: "string" },
    only: { type: "string" },
    "first-layer": { type: "string", default: "0" },
    measured: { type: "string", default: "16384" },
    jobs: { type: "string", default: "1" },
    row: { type: "string" },
  },
});
const folder = args.in ?? "";
const out = args.out ?? "";
if (folder === "" || out === "") throw new Error("give --in FOLDER, which train.py wrote, and --out FOLDER");

/** Tokens of a window of the trained models. */
const { max_position_embeddings: length } = JSON.parse(
  await readFile(join(folder, "base", "config.json"), "utf8"),
) as { readonly max_position_embeddings: number };

/** Behind the name of a test text, the windows of it that networks are measured on. */
const MEASURED = args.measured === "all" ? ":train" : `:train@${Number(args.measured) / length}`;

type Losses = Readonly<Record<Corpus, number>>;

/** A row of the table. */
interface Measured {
  readonly row: string;
  readonly losses: Losses;
  /** Parameters of the network, and the ones that a token passes through. */
  readonly parameters: number;
  /** Seconds of the processor that the commands took. */
  readonly cpuSeconds: number;
  readonly commands: readonly string[];
}

const engine = createOnnxRuntimeEngine();

async function measure(network: Row["network"]): Promise<Pick<Measured, "losses" | "parameters">> {
  const losses: Partial<Record<Corpus, number>> = {};
  let parameters = 0;
  for (const corpus of CORPORA) {
    const path = typeof network === "string" ? network : network[corpus];
    const checkpoint = await openCheckpoint(path);
    const named = `text:${join(folder, "data", `${corpus}-test.txt`)},context=${length}${MEASURED}`;
    const { architecture, examples } = await openBound([path], [checkpoint], { named }, { engine });
    const [data] = examples.values();
    const [bound] = architecture.networks;
    if (data === undefined || bound === undefined) throw new Error("a network and a text");
    const evaluator = await createEvaluator(architecture, data, { batchSize: 4096 / length });
    losses[corpus] = (await evaluator.evaluate(bound.network)).loss;
    await evaluator.release();
    parameters = [...checkpoint.tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    await checkpoint.close();
  }
  return { losses: losses as Losses, parameters };
}

/** Runs the commands of a row, and measures the network. */
async function make({ name, files = {}, commands, network }: Row): Promise<Measured> {
  for (const [file, recipe] of Object.entries(files)) await writeFile(file, recipe);
  const before = process.cpuUsage();
  for (const words of commands) {
    const code = await main([...words, "--quiet", "--json"]);
    if (code !== 0) throw new Error(`isthmus ${words.join(" ")} ended with ${code}`);
  }
  const { user, system } = process.cpuUsage(before);
  const measured = await measure(network);
  const shown = commands.map((words) => ["isthmus", ...words].join(" "));
  return { row: name, ...measured, cpuSeconds: (user + system) / 1e6, commands: shown };
}

await mkdir(out, { recursive: true });
const only = args.only?.split(",");
const earlier: readonly Measured[] = await readFile(join(out, "table.json"), "utf8").then(
  JSON.parse,
  () => [],
);
const all = rowsOf(folder, out, {
  length,
  firstLayer: Number(args["first-layer"]),
  hasJoint: existsSync(join(folder, "joint")),
});
const rows: Measured[] = [];
const alone = all.find(({ name }) => name === args.row);
if (alone !== undefined) {
  process.stdout.write(`\n${JSON.stringify(await make(alone))}\n`);
} else {
  await makeAll();
  await writeTables();
}

/** Makes all rows that are asked for, as many at a time as there are jobs, each after those it is made of. */
async function makeAll(): Promise<void> {
  const started = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();
  for (const row of all) {
    const kept = earlier.find((measured) => measured.row === row.name);
    const isAsked = only?.includes(row.name) ?? true;
    if (kept !== undefined && !(only !== undefined && isAsked)) {
      rows.push(kept);
      continue;
    }
    if (!isAsked && row.commands.length > 0) continue;
    while (running.size >= Number(args.jobs)) await Promise.race(running);
    const words = new Set(row.commands.flat());
    const sources = all.filter(({ network }) => typeof network === "string" && words.has(network));
    const work = Promise.all(sources.map(({ name }) => started.get(name))).then(() => add(row));
    const job: Promise<void> = work.finally(() => running.delete(job));
    running.add(job);
    started.set(row.name, job);
  }
  await Promise.all(running);
}

/** Makes a row in a process of its own, and adds it to the table. */
async function add(row: Row): Promise<void> {
  if (row.commands.length > 0 && typeof row.network === "string")
    await rm(row.network, { recursive: true, force: true });
  try {
    const words = [...process.execArgv, ...process.argv.slice(1), "--row", row.name];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close");
    const line = (await text(child.stdout)).trimEnd().split("\n").at(-1) ?? "";
    const [code] = await ended;
    if (code !== 0) throw new Error(`its process ended with ${code}`);
    rows.push(JSON.parse(line));
    process.stdout.write(`${line}\n`);
    await writeTables();
  } catch (error) {
    process.stderr.write(`${row.name}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

/** Writes the rows so far as JSON and as a table in Markdown, with the shares of the experts' gains. */
async function writeTables(): Promise<void> {
  const named = (name: string) => rows.find(({ row }) => row === name);
  const shareOf = ({ losses }: Measured, corpus: Corpus): number => {
    const [from, to] = [named("base"), named(corpus)].map((row) => row?.losses[corpus] ?? Number.NaN);
    return ((from ?? 0) - losses[corpus]) / ((from ?? 0) - (to ?? 0));
  };
  const places = all.map(({ name }) => name);
  rows.sort((a, b) => places.indexOf(a.row) - places.indexOf(b.row));
  const references: readonly string[] = ["base", ...CORPORA];
  const lines = rows.map((row) => {
    const cells = [
      row.row,
      ...CORPORA.map((corpus) => row.losses[corpus].toFixed(3)),
      ...CORPORA.map((corpus) =>
        references.includes(row.row) ? "" : `${(100 * shareOf(row, corpus)).toFixed(0)} %`,
      ),
      row.parameters.toLocaleString("en-US"),
      row.commands.length === 0 ? "" : row.cpuSeconds.toFixed(0),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const titles = [
    "network",
    ...CORPORA,
    ...CORPORA.map((corpus) => `kept of ${corpus}`),
    "parameters",
    "CPU s",
  ];
  const table = [`| ${titles.join(" | ")} |`, `|${titles.map(() => "---|").join("")}`, ...lines].join("\n");
  await writeFile(join(out, "table.md"), `${table}\n`);
  const kept = rows.map((row) => ({
    ...row,
    kept: Object.fromEntries(CORPORA.map((corpus) => [corpus, shareOf(row, corpus)])),
  }));
  await writeFile(join(out, "table.json"), `${JSON.stringify(kept, null, 2)}\n`);
}
