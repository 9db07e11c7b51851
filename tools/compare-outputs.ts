// Runs the command lines of test/golden/command-lines with two checkouts, and lists what they print or write in another way: text,
// JSON, files and pages, byte for byte, but for versions, times and the names of temporary folders. The packages of both must be built.
//
//   npx tsx --conditions=@isthmus/source tools/compare-outputs.ts OLDER NEWER [NAME...]
//
// OLDER and NEWER are folders of checkouts; names choose command lines. Prints a line for each difference, with the first place of
// it, and ends with 1 if there is any.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { UsageError } from "@isthmus/core";
import { type CommandLine, MAKING, MEASURING } from "../test/golden/command-lines/command-lines.ts";
import { type LineOutput, type RunWords, runLine } from "../test/golden/command-lines/run-line.ts";

/** Characters that are shown from the first that differs. */
const SHOWN = 80;

const [older, newer, ...names] = process.argv.slice(2);
if (older === undefined || newer === undefined) {
  throw new UsageError("Cannot compare outputs as two checkouts must be named: an older one and a newer one");
}

/** Runs the command of a checkout as a process of its own. */
function runOf(checkout: string): RunWords {
  const bin = resolve(checkout, "packages", "cli", "bin", "isthmus.js");
  return async (words, cwd) => {
    const env = { ...process.env, NO_COLOR: "1" };
    const child = spawn(process.execPath, [bin, ...words], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const code = new Promise<number | null>((done) => child.on("close", done));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await code, stdout, stderr };
  };
}

/** Runs a command line with one checkout, as text and as JSON, and lists all that it gave by name. */
async function outputsOf(checkout: string, line: CommandLine): Promise<Map<string, string>> {
  const { version } = JSON.parse(readFileSync(join(checkout, "packages", "cli", "package.json"), "utf8"));
  const outputs = new Map<string, string>();
  const keep = (way: string, { code, stdout, stderr, files }: LineOutput) => {
    for (const [name, value] of [
      ["exit code", String(code)],
      ["stdout", stdout],
      ["stderr", stderr],
      ...files,
    ])
      outputs.set(`${way} ${name}`, value ?? "");
  };
  keep("text:", await runLine(line, runOf(checkout), { json: false, version: String(version) }));
  keep("--json:", await runLine(line, runOf(checkout), { json: true, version: String(version) }));
  return outputs;
}

/** Shows both texts from the first character that differs. */
function showDifference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const begin = Math.max(0, at - SHOWN / 4);
  const part = (value: string) => JSON.stringify(value.slice(begin, begin + SHOWN));
  return `at ${at}: ${part(a)}, then ${part(b)}`;
}

let differences = 0;
const lines = [...MEASURING, ...MAKING].filter(({ name }) => names.length === 0 || names.includes(name));
for (const line of lines) {
  const before = await outputsOf(older, line);
  const after = await outputsOf(newer, line);
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [a, b] = [before.get(name), after.get(name)];
    if (a === b) continue;
    differences++;
    const what = a === undefined ? "is new" : b === undefined ? "is missing" : showDifference(a, b);
    process.stdout.write(`${line.name}, ${name} ${what}\n`);
  }
}
process.stdout.write(`${lines.length} command lines, ${differences} differences\n`);
process.exitCode = differences === 0 ? 0 : 1;
