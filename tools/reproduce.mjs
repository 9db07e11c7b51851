// Runs commands of docs/reproductions.json and compares what they give with what README and docs/ say.
//
//   node tools/reproduce.mjs              # lists all of them
//   node tools/reproduce.mjs NAME...      # runs some, after `npm run build`
//   node tools/reproduce.mjs --write      # writes the table of docs/reproductions.md
//
// It ends with exit code 1 if a number is farther from the stated one than it may be. A study prints its tables, to be
// compared by eye: its file says what is in them.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./packages.mjs";
import { compareNumbers, formatReproductions, reproductions, wordsOf } from "./reproductions.mjs";

const BLOCK = /(<!-- reproductions -->\n)[\s\S]*?(<!-- \/reproductions -->)/;
const names = process.argv.slice(2);
if (names.length === 0)
  for (const { name, claim, time = "" } of reproductions)
    console.log(`${name}: ${claim} ${time && `(${time})`}`);
else if (names[0] === "--write") writeTable();
else for (const name of names) reproduce(name);

function writeTable() {
  const path = join(root, "docs", "reproductions.md");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(BLOCK, `$1\n${formatReproductions()}\n\n$2`));
}

/** Runs one command in a folder of its own, in which the files of the repository are in reach. */
function reproduce(name) {
  const entry = reproductions.find((other) => other.name === name);
  if (entry === undefined) {
    console.error(
      `Cannot reproduce "${name}" as it must be one of ${reproductions.map((other) => other.name).join(", ")}`,
    );
    process.exitCode = 2;
    return;
  }
  console.log(`${name}: ${entry.claim}\n$ ${entry.command}`);
  const folder = mkdtempSync(join(tmpdir(), "isthmus-reproduce-"));
  mkdirSync(join(folder, "test"));
  for (const path of ["examples", "node_modules", "test/fixtures"])
    symlinkSync(join(root, path), join(folder, path));
  const isByEye = entry.numbers.length === 0;
  const words = isByEye ? entry.command.split(" ").slice(1) : wordsOf(entry);
  const program = join(root, "packages", "cli", "bin", "isthmus.js");
  const run = spawnSync(process.execPath, [program, ...words], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", isByEye ? "inherit" : "pipe", "inherit"],
    maxBuffer: 1e9,
  });
  rmSync(folder, { recursive: true });
  if (run.status !== 0) process.exitCode = 1;
  if (isByEye || run.status !== 0) return;
  for (const { path, value, within, found, holds } of compareNumbers(entry, JSON.parse(run.stdout))) {
    console.log(`${holds ? "holds" : "DIFFERS"}: ${path} is ${found}, stated ${value} within ${within}`);
    if (!holds) process.exitCode = 1;
  }
}
