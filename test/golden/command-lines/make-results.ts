// Writes what all command lines print now, which the tests hold; read the difference before you commit it:
// npx tsx --conditions=@isthmus/source test/golden/command-lines/make-results.ts [NAME...]
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runAlone } from "../../helpers/run-cli.ts";
import { MAKING, MEASURING } from "./command-lines.ts";
import { resultOf, runLine } from "./run-line.ts";
import { VERSION } from "./version.ts";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));
const names = process.argv.slice(2);

/** Leaves of a number more digits than tests compare. */
const round = (_: string, value: unknown): unknown =>
  typeof value === "number" ? Number(value.toPrecision(9)) : value;

mkdirSync(RESULTS, { recursive: true });
for (const line of [...MEASURING, ...MAKING]) {
  if (names.length > 0 && !names.includes(line.name)) continue;
  const run = (words: readonly string[], cwd: string) => runAlone(words, { cwd });
  const [printed, shown] = [true, false].map((json) => runLine(line, run, { json, version: VERSION }));
  const [data, text] = [await printed, await shown];
  if (data?.code !== 0) throw new TypeError(`Cannot run "${line.words.join(" ")}": ${data?.stderr}`);
  writeFileSync(`${RESULTS}${line.name}.json.golden`, `${JSON.stringify(resultOf(line, data), round)}\n`);
  writeFileSync(`${RESULTS}${line.name}.txt`, text?.stdout ?? "");
}
