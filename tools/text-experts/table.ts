/**
 * Merges three language models that were fine-tuned from one on three corpora, in many ways, and measures each result on
 * the test text of each corpus.
 *
 *     npx tsx --conditions=@isthmus/source tools/text-experts/table.ts --in FOLDER --out FOLDER [--first-layer N] [--only ROW,...]
 *
 * FOLDER is what `train.py` beside this file wrote, N its `--first-layer` if feed-forward networks alone were tuned. Each row is made by command lines of `isthmus`, which the table keeps.
 * Prints one JSON line a row, and writes `table.json` and `table.md`; rows that are there are kept unless `--only` names them.
 * The share of an expert's gain that a row keeps is
 * (loss of the base - loss of the row) / (loss of the base - loss of the expert) on the expert's text.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
  },
});
const folder = args.in ?? "";
const out = args.out ?? "";
if (folder === "" || out === "") throw new Error("give --in FOLDER, which train.py wrote, and --out FOLDER");

/** Tokens of a window of the trained models. */
const { max_position_embeddings: length } = JSON.parse(
  await readFile(join(folder, "base", "config.json"), "utf8"),
) as { readonly max_position_embeddings: number };

/** Tokens of each test text that networks are measured on. */
const MEASURED_TOKENS = 16 * 1024;

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
    const text = `text:${join(folder, "data", `${corpus}-test.txt`)}:train@${MEASURED_TOKENS / length}`;
    const { architecture, examples } = await openBound([path], [checkpoint], { text }, { engine });
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
  for (const [file, text] of Object.entries(files)) await writeFile(file, text);
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
const rows: Measured[] = [];
for (const row of rowsOf(folder, out, { length, firstLayer: Number(args["first-layer"]) })) {
  const kept = earlier.find((measured) => measured.row === row.name);
  const isAsked = only?.includes(row.name) ?? true;
  if (kept !== undefined && !(only !== undefined && isAsked)) {
    rows.push(kept);
    continue;
  }
  if (!isAsked && row.commands.length > 0) continue;
  if (row.commands.length > 0 && typeof row.network === "string")
    await rm(row.network, { recursive: true, force: true });
  const measured = await make(row).catch((error: unknown) => {
    process.stderr.write(`${row.name}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  });
  if (measured === undefined) continue;
  rows.push(measured);
  process.stdout.write(`${JSON.stringify(measured)}\n`);
  await writeTables();
}
await writeTables();

/** Writes the rows so far as JSON and as a table in Markdown, with the shares of the experts' gains. */
async function writeTables(): Promise<void> {
  const named = (name: string) => rows.find(({ row }) => row === name);
  const shareOf = ({ losses }: Measured, corpus: Corpus): number => {
    const [from, to] = [named("base"), named(corpus)].map((row) => row?.losses[corpus] ?? Number.NaN);
    return ((from ?? 0) - losses[corpus]) / ((from ?? 0) - (to ?? 0));
  };
  const lines = rows.map((row) => {
    const cells = [
      row.row,
      ...CORPORA.map((corpus) => row.losses[corpus].toFixed(3)),
      ...CORPORA.map((corpus) =>
        row.commands.length === 0 ? "" : `${(100 * shareOf(row, corpus)).toFixed(0)} %`,
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
