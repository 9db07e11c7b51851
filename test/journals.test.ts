import { cpSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { entry } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { FINISHED, JOURNALS, type JournalLine, STATES } from "./golden/command-lines/journal-lines.ts";
import { type LineOutput, runLine } from "./golden/command-lines/run-line.ts";
import { VERSION } from "./golden/command-lines/version.ts";
import { findDifference } from "./helpers/find-difference.ts";
import { runCli } from "./helpers/run-cli.ts";

const KEPT = fileURLToPath(new URL("./golden/command-lines/journals", import.meta.url));
const ENDING = ".golden";
/** A change of numbers that no result shows, and by which they are known again. */
const MARK = 1 + 1e-9;

/** Puts what an interrupted run of a command line left into a folder. */
function restore({ name }: JournalLine, folder: string): void {
  cpSync(join(KEPT, name), folder, { recursive: true });
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (path.endsWith(ENDING)) renameSync(join(folder, path), join(folder, path.slice(0, -ENDING.length)));
  }
}

function runIn(
  line: JournalLine,
  more: readonly string[],
  prepare?: (folder: string) => void,
): Promise<LineOutput> {
  const run = (words: readonly string[], cwd: string) => runCli(words, { cwd });
  const words = [...line.words, ...more];
  return runLine({ ...line, words }, run, { json: true, version: VERSION, ...(prepare && { prepare }) });
}

/** Changes all numbers that are not whole, a little. */
function mark(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? value : value * MARK;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(mark);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mark(part)]));
}

interface Journal {
  readonly pieces: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Marks the numbers of a journal in a folder, and returns it. */
function markJournal(path: string): Journal {
  const { pieces, data, ...run } = JSON.parse(readFileSync(path, "utf8"));
  const marked = { ...run, pieces: mark(pieces), ...(data !== undefined && { data: mark(data) }) };
  writeFileSync(path, JSON.stringify(marked));
  return marked;
}

/** Takes out where a training went on, in which it differs from one that was not stopped. */
const withoutStart = ({ stdout }: LineOutput): unknown =>
  JSON.parse(stdout.replace(/"resumedAt":\d+/g, '"resumedAt":0'));

const byName = (lines: readonly JournalLine[]) => lines.map((line) => [line.name, line] as const);

// Files in golden/command-lines/journals were written by golden/command-lines/make-journals.ts, with version 0.1.0.
describe("work that an earlier version left half-way", () => {
  it.each(byName(JOURNALS.filter(({ kept }) => kept.endsWith(".json"))))(
    "isthmus %s goes on from a journal, measures nothing in it again, and comes to the same end",
    async (_, line) => {
      const whole = await runIn(line, []);
      let before: Journal = { pieces: {} };
      const later = await runIn(line, [], (folder) => {
        restore(line, folder);
        before = markJournal(join(folder, line.kept));
      });
      expect(later.code, later.stderr).toBe(0);
      expect(findDifference(JSON.parse(whole.stdout), JSON.parse(later.stdout))).toBeUndefined();
      const after: Journal = JSON.parse(later.files.get(line.kept) ?? "{}");
      const first = Object.entries(before.pieces);
      expect(Object.entries(after.pieces).slice(0, first.length)).toEqual(first);
      expect(after.data ?? {}).toMatchObject(before.data ?? {});
    },
  );

  it("isthmus search refuses a journal that does not say what was scored, and leaves it", async () => {
    const line = entry(new Map(byName(JOURNALS)), "search", "command line");
    let before: Journal = { pieces: {} };
    const { code, stderr, files } = await runIn(line, [], (folder) => {
      restore({ ...line, name: "search-unidentified" }, folder);
      before = JSON.parse(readFileSync(join(folder, line.kept), "utf8"));
    });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/of the same measurement: it does not say "digest of a\.safetensors", .*"data"/);
    expect(JSON.parse(files.get(line.kept) ?? "{}")).toEqual(before);
  });

  it.each(byName(STATES))("isthmus %s goes on from a state, and comes to the same end", async (_, line) => {
    const whole = await runIn(line, []);
    const later = await runIn(line, ["--resume"], (folder) => restore(line, folder));
    expect(later.code, later.stderr).toBe(0);
    expect(findDifference(withoutStart(whole), withoutStart(later))).toBeUndefined();
    expect([...later.files.keys()]).toEqual([...whole.files.keys()]);
    const started = /"resumedAt":(\d+)/.exec(later.stdout)?.[1];
    if (started !== undefined) expect(Number(started)).toBeGreaterThan(0);
  });

  it.each(byName(STATES))(
    "isthmus %s reads the state, and refuses one that is cut short",
    async (_, line) => {
      const { code, stderr } = await runIn(line, ["--resume"], (folder) => {
        restore(line, folder);
        truncateSync(join(folder, line.kept), 100);
      });
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/^isthmus \S+: Cannot/m);
    },
  );

  it("isthmus ensemble goes on from predictions in a folder, and predicts by no network in it again", async () => {
    const line = entry(new Map(byName(JOURNALS)), "ensemble", "command line");
    const [file = ""] = readdirSync(join(KEPT, line.name, line.kept));
    const whole = await runIn(line, []);
    const later = await runIn(line, [], (folder) => restore(line, folder));
    expect(later.code, later.stderr).toBe(0);
    expect(findDifference(JSON.parse(whole.stdout), JSON.parse(later.stdout))).toBeUndefined();
    const changed = await runIn(line, [], (folder) => {
      restore(line, folder);
      const path = join(folder, line.kept, file);
      const bytes = readFileSync(path);
      // The lowest bit of the last number.
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 4) ^ 1, bytes.length - 4);
      writeFileSync(path, bytes);
    });
    const name = `${line.kept}/${file}`;
    expect(changed.files.get(name)).toHaveLength(whole.files.get(name)?.length ?? 0);
    expect(changed.files.get(name)).not.toBe(whole.files.get(name));
  });

  it.each([
    ["study", /^0 tasks run, 67 were finished before$/m],
    ["simulation", /^0 federations simulated, 2 there before$/m],
  ])("a %s that is finished runs no task again, and has the result that it had", async (name, counts) => {
    const line = entry(new Map(byName(FINISHED)), name, "command line");
    const printed = await runIn(line, [], (folder) => restore(line, folder));
    const earlier: unknown = JSON.parse(readFileSync(join(KEPT, `${name}.json${ENDING}`), "utf8"));
    expect(findDifference(earlier, JSON.parse(printed.stdout))).toBeUndefined();
    const run = (words: readonly string[], cwd: string) => runCli(words, { cwd });
    const prepare = (folder: string) => restore(line, folder);
    const { stdout } = await runLine(line, run, { json: false, version: VERSION, prepare });
    expect(stdout).toMatch(counts);
  });
});
