// Kills processes while they give the shards of a checkpoint their names, and opens what they leave: it must
// be the earlier checkpoint, the new one, or be refused; never a mix or a part.
//
//   npx tsx --conditions=@isthmus/source tools/kill-saves.ts [--kills 100] [--seed 1] [--shards 200]
//
// Only kills that hit between the first and the last rename count. Prints what opened after them, for each
// way of replacing one checkpoint by another, and ends with 1 if anything else did.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  createCheckpoint,
  createRandom,
  isIsthmusError,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    shards: { type: "string", default: "200" },
    /** What a child process is told: folder, number of shards and value. */
    save: { type: "string" },
  },
});
const shards = Number(values.shards);
const ELEMENTS = 256;
/**
 * Time that giving all names takes, in milliseconds; learnt from the saves that ended before they were
 * killed.
 */
let publishingMs = 10;

/** Saves as many tensors as there may be shards, all of one value. */
async function save(folder: string, count: number, value: number): Promise<void> {
  const tensors = Array.from({ length: shards }, (_, i) => {
    const data = new Float32Array(ELEMENTS).fill(value);
    return [`t${i}`, { dtype: "f32", shape: [ELEMENTS], data }] as const;
  });
  const maxShardBytes = 4 * ELEMENTS * Math.ceil(shards / count);
  await saveCheckpoint(createCheckpoint(new Map(tensors)), folder, { maxShardBytes, overwrite: true });
}

if (values.save !== undefined) {
  const [folder, count, value] = JSON.parse(values.save) as [string, number, number];
  process.on("message", () => void save(folder, count, value));
  process.send?.("ready");
} else {
  process.exit(await run());
}

interface Way {
  readonly name: string;
  /** Shards of the earlier checkpoint; none is saved where there are 0. */
  readonly from: number;
  readonly to: number;
}

async function run(): Promise<number> {
  const ways: readonly Way[] = [
    { name: "shards into a fresh folder", from: 0, to: shards },
    { name: "shards over as many shards", from: shards, to: shards },
    { name: "shards over half as many", from: shards / 2, to: shards },
    { name: "a file over shards", from: shards, to: 1 },
    { name: "shards over a file", from: 1, to: shards },
  ];
  const root = mkdtempSync(join(tmpdir(), "isthmus-kill-saves-"));
  const random = createRandom(Number(values.seed), "kill saves");
  const counts = new Map<string, number>();
  let wrong = 0;
  for (let hits = 0, tries = 0; hits < Number(values.kills); tries++) {
    const way = ways[hits % ways.length] as Way;
    const folder = join(root, String(tries));
    if (way.from > 0) await save(folder, way.from, 1);
    const wasHit = await killSave(folder, way.to, random.uniform());
    if (wasHit) {
      hits++;
      const seen = await describeFolder(folder);
      if (seen.startsWith("WRONG")) wrong++;
      counts.set(`${way.name}: ${seen}`, (counts.get(`${way.name}: ${seen}`) ?? 0) + 1);
      await save(folder, way.to, 3);
      const again = await describeFolder(folder);
      const left = readdirSync(folder).filter((name) => name.startsWith("."));
      if (again !== "the newest" || left.length > 0) {
        wrong++;
        console.log(`WRONG after saving again: ${again}, left ${left.join(", ")}`);
      }
    }
    rmSync(folder, { recursive: true, force: true });
  }
  for (const [what, count] of [...counts].sort()) console.log(`${String(count).padStart(5)}  ${what}`);
  console.log(`seed ${values.seed}: ${values.kills} kills between renames, ${wrong} wrong`);
  rmSync(root, { recursive: true, force: true });
  return wrong === 0 ? 0 : 1;
}

/**
 * Lets a process save, and kills it at a moment after it has begun to change names.
 * @param share - of the time that takes
 * @returns whether it was killed before it was done
 */
async function killSave(folder: string, count: number, share: number): Promise<boolean> {
  const child = fork(
    fileURLToPath(import.meta.url),
    ["--save", JSON.stringify([folder, count, 2]), "--shards", values.shards],
    {
      execArgv: ["--import", "tsx", "--conditions=@isthmus/source", "--no-warnings"],
    },
  );
  await once(child, "message");
  const before = namesIn(folder);
  child.send("go");
  await untilNamesChange(folder, before, child);
  const began = performance.now();
  while (performance.now() - began < share * publishingMs);
  child.kill("SIGKILL");
  await once(child, "exit");
  const isDone = !namesIn(folder).some((name) => name.endsWith(".tmp") || name.endsWith(".lock"));
  publishingMs *= isDone ? 0.9 : 1.05;
  return !isDone && before.join() !== finalNames(folder).join();
}

/** Waits, without giving others a turn, until a file has got its name or lost it. */
async function untilNamesChange(
  folder: string,
  before: readonly string[],
  child: ChildProcess,
): Promise<void> {
  const known = before.join();
  for (;;) {
    for (let i = 0; i < 50; i++) if (finalNames(folder).join() !== known) return;
    if (child.exitCode !== null) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Without temporary files and the lock. */
function finalNames(folder: string): string[] {
  return namesIn(folder).filter((name) => !name.startsWith("."));
}

/** Opens a folder by all the paths that people use, and says what is there. */
async function describeFolder(folder: string): Promise<string> {
  const names = [".", "model.safetensors", "model.safetensors.index.json"];
  const seen = await Promise.all(names.map((name) => openedValue(join(folder, name))));
  if (seen.some((value) => Number.isNaN(value))) return "WRONG: a mix or a part opens";
  const found = [...new Set(seen.filter((value) => value !== undefined))].sort();
  const words = found.map(
    (value) => ["", "the earlier one", "the new one", "the newest"][value] ?? "another",
  );
  return words.length === 0 ? "refused" : words.join(" and ");
}

/**
 * The value that all tensors have; NaN if not all have one, or some are missing; undefined if nothing opens.
 */
async function openedValue(path: string): Promise<number | undefined> {
  try {
    const checkpoint = await openCheckpoint(path);
    const found = new Set<number>();
    for (const name of checkpoint.tensors.keys())
      for (const value of (await checkpoint.read(name)).data) found.add(Number(value));
    await checkpoint.close();
    return found.size === 1 && checkpoint.tensors.size === shards ? [...found][0] : Number.NaN;
  } catch (error) {
    if (isIsthmusError(error)) return undefined;
    throw error;
  }
}
