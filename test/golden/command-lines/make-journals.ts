// Writes journals, states and results of studies of work that was stopped half-way, from which tests go on:
// npx tsx --conditions=@isthmus/source test/golden/command-lines/make-journals.ts [NAME...]
import type { ChildProcess } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAlone } from "../../helpers/run-cli.ts";
import { FINISHED, JOURNALS, type JournalLine, STATES } from "./journal-lines.ts";
import { INPUTS, listWritten, runLine } from "./run-line.ts";
import { VERSION } from "./version.ts";

const KEPT = fileURLToPath(new URL("journals/", import.meta.url));
/** A process may end before it is killed. */
const TRIES = 20;
const names = process.argv.slice(2);

/** Returns the first half of the entries of an object, or of an array. */
function firstHalf<T>(all: readonly T[]): readonly T[] {
  return all.slice(0, Math.ceil(all.length / 2));
}

/** Leaves of a finished journal what was in it half-way: it is written anew with each piece, in their order. */
function cutJournal(path: string): void {
  const journal = JSON.parse(readFileSync(path, "utf8"));
  for (const part of ["pieces", "data"]) {
    if (journal[part] !== undefined)
      journal[part] = Object.fromEntries(firstHalf(Object.entries(journal[part])));
  }
  writeFileSync(path, JSON.stringify(journal));
}

/** Keeps the files of a folder that are no inputs, under the name of a command line. */
function keep(folder: string, name: string): void {
  rmSync(join(KEPT, name), { recursive: true, force: true });
  // A lock names a process of this machine that is gone.
  for (const path of listWritten(folder).filter((file) => !file.endsWith(".lock"))) {
    const to = join(KEPT, name, path.replace(/\.json$/, ".json.golden"));
    mkdirSync(dirname(to), { recursive: true });
    // Indentation is a third of results of tasks.
    if (path.endsWith(".json"))
      writeFileSync(to, JSON.stringify(JSON.parse(readFileSync(join(folder, path), "utf8"))));
    else cpSync(join(folder, path), to);
  }
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-journal-"));
  try {
    cpSync(INPUTS, folder, { recursive: true });
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function makeJournal({ name, words, kept }: JournalLine, folder: string): Promise<void> {
  const { code, stderr } = await runAlone([...words, "--quiet"], { cwd: folder });
  if (code !== 0) throw new TypeError(`Cannot run "${words.join(" ")}": ${stderr}`);
  for (const path of listWritten(folder)) if (!path.startsWith(kept)) rmSync(join(folder, path));
  if (kept.endsWith(".json")) cutJournal(join(folder, kept));
  else for (const file of readdirSync(join(folder, kept)).slice(1)) rmSync(join(folder, kept, file));
  keep(folder, name);
}

/** Runs a study or a simulation to its end, and keeps results of its tasks, and what it prints then. */
async function makeFinished(line: JournalLine, folder: string): Promise<void> {
  const { name, words, kept } = line;
  const { code, stderr } = await runAlone([...words, "--quiet"], { cwd: folder });
  if (code !== 0) throw new TypeError(`Cannot run "${words.join(" ")}": ${stderr}`);
  for (const path of listWritten(folder)) if (!path.startsWith(kept)) rmSync(join(folder, path));
  keep(folder, name);
  const run = (again: readonly string[]) => runAlone(again, { cwd: folder });
  const { stdout } = await runLine(line, run, { json: true, version: VERSION });
  writeFileSync(join(KEPT, `${name}.json.golden`), stdout);
}

/** Kills a process once a file was written for so many times, without a chance to clean up. */
function killOnceWritten(path: string, times: number): (child: ChildProcess) => void {
  return (child) => {
    const seen = new Set<number>();
    const watch = setInterval(() => {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats !== undefined) seen.add(stats.mtimeMs);
      if (seen.size < times && child.exitCode === null) return;
      clearInterval(watch);
      child.kill("SIGKILL");
    }, 1);
  };
}

/** Runs a command line until it is killed with something finished. */
async function makeState({ name, words, kept, writes = 1 }: JournalLine, folder: string): Promise<void> {
  const state = join(folder, kept);
  for (let i = 0; i < TRIES; i++) {
    for (const path of listWritten(folder)) rmSync(join(folder, path));
    if (dirname(kept) !== ".") rmSync(join(folder, dirname(kept)), { recursive: true, force: true });
    const onStart = killOnceWritten(state, writes);
    const { code } = await runAlone([...words, "--quiet"], { cwd: folder, onStart });
    if (code === null && existsSync(state)) return keep(folder, name);
  }
  throw new TypeError(`Cannot stop "${words.join(" ")}" half-way`);
}

const isChosen = ({ name }: JournalLine) => names.length === 0 || names.includes(name);
for (const line of JOURNALS.filter(isChosen)) await inFolder((folder) => makeJournal(line, folder));
for (const line of STATES.filter(isChosen)) await inFolder((folder) => makeState(line, folder));
for (const line of FINISHED.filter(isChosen)) await inFolder((folder) => makeFinished(line, folder));
