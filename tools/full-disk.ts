// Runs every command that writes onto a disk that is full, and onto one that becomes full in the middle: the command must fail, its message
// must name the path and say that there is no room, no file may have its final name and no temporary file may be left. Then there is room, and
// the same command must write the same bytes as on a disk that was never full. A command that serves others must say so, must let them know,
// and must go on by itself once there is room.
//
//   npx tsx --conditions=@isthmus/source tools/full-disk.ts [--only NAME[,NAME...]] [--list]
//
// It needs root on Linux, for a small disk in memory, and runs the built program (npm run build). Prints a line of JSON for each command, lists
// what no command here writes, and ends with 1 if anything was wrong.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { filesBelow } from "./cluster/digest-tree.ts";
import { startCommand } from "./cluster/program.ts";
import { CASES, type WritingCase } from "./full-disk/cases.ts";
import { writeInputs } from "./full-disk/inputs.ts";
import { SERVICES, startFederation, tryService, writeToken } from "./full-disk/services.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, list: { type: "boolean", default: false } },
});
const only = values.only?.split(",");
const isChosen = ({ name }: { readonly name: string }): boolean => only?.includes(name) ?? true;
const [cases, services] = [CASES.filter(isChosen), SERVICES.filter(isChosen)];
/** Bytes of the disk. */
const DISK = 24 * 2 ** 20;
const FILLING = "filling";
/** Files by which a command goes on, which may be left before they are complete. */
const PROGRESS = /\.lock$|(?:journal|rows|pairs)\.json$|anna\/global\.safetensors$/;

/** Parts of files that say where and when they were written. */
const PLACES = /(?<![a-z])(?:expected|disk)\//g;
const TIMES =
  /"(?:seconds|stepSeconds|examplesPerSecond|took|wrote|at|began|date|time|millis|identity)":\s*(?:"[^"]*"|[\d.e+-]+)/g;

if (values.list) {
  for (const { name, words } of cases) console.log(`${name}: isthmus ${words.join(" ")}`);
  for (const { name } of services) console.log(`${name}, with another command that waits for it`);
} else {
  process.exitCode = (await run()) === 0 ? 0 : 1;
}

async function run(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-full-disk-"));
  const disk = join(folder, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", disk], { stdio: "pipe" });
  let wrong = 0;
  try {
    await writeInputs(folder);
    await write(folder, [
      "barrier",
      "a.safetensors",
      "b.safetensors",
      "--graph",
      "graph.onnx",
      "--data",
      "safetensors:data.safetensors:train",
      "-o",
      "barrier.json",
    ]);
    await writeToken(folder);
    const tell = (name: string, problems: readonly string[]): void => {
      if (problems.length > 0) wrong++;
      console.log(JSON.stringify({ name, ok: problems.length === 0, problems }));
    };
    for (const one of cases) tell(one.name, await tryCase(folder, disk, one));
    for (const one of services) {
      empty(disk);
      makeExpected(folder);
      tell(one.name, await tryService(one, { folder, fill: () => fillFor(disk) }));
    }
    console.log(JSON.stringify({ commands: cases.length + services.length, wrong }));
  } finally {
    execFileSync("umount", [disk]);
    rmSync(folder, { recursive: true, force: true });
  }
  return wrong;
}

/** Runs a command with its place for outputs, and returns how it ended. */
async function write(
  folder: string,
  words: readonly string[],
  place = "",
): Promise<{ readonly code: number | string; readonly said: string }> {
  const command = startCommand([...words.map((word) => word.replaceAll("{}", place)), "--quiet"], {
    cwd: folder,
  });
  const code = await command.ended;
  return { code, said: command.output() };
}

/** Returns all that a command does wrong. */
async function tryCase(folder: string, disk: string, one: WritingCase): Promise<readonly string[]> {
  const expected = makeExpected(folder);
  const whole = await withServer(folder, one, (words) => write(folder, words, "expected"));
  if (whole.code !== 0) return [`it fails on a disk with room: ${whole.said.trim()}`];
  const bytes = filesBelow(expected).reduce((sum, path) => sum + statSync(path).size, 0);
  if (bytes === 0) return ["it writes nothing"];
  const problems: string[] = [];
  for (const free of [0, Math.floor(bytes / 2 / 4096) * 4096].slice(0, bytes > 8192 ? 2 : 1)) {
    empty(disk);
    fill(disk, free);
    const found = await withServer(folder, one, (words) => tryFull(folder, disk, { ...one, words }));
    problems.push(...found.map((problem) => `with ${free} of ${bytes} bytes free: ${problem}`));
  }
  return problems;
}

/** Returns all that a command does wrong on a disk that is full, and once it has room. */
async function tryFull(
  folder: string,
  disk: string,
  { words, again = [], isRandom = false }: WritingCase,
): Promise<readonly string[]> {
  const expected = join(folder, "expected");
  const problems: string[] = [];
  const failed = await write(folder, words, "disk");
  if (failed.code === 0) problems.push("it ends with 0");
  if (!/room|full/.test(failed.said) || !failed.said.includes("disk/"))
    problems.push(`it says ${failed.said.trim()}`);
  const left = filesBelow(disk)
    .map((path) => relative(disk, path))
    .filter((path) => path !== FILLING && !PROGRESS.test(path));
  const finals = left.filter((path) => existsSync(join(expected, path)));
  const partial = finals.filter((path) => !sameFile(join(expected, path), join(disk, path)));
  if (partial.length > 0) problems.push(`half-written: ${partial.join(", ")}`);
  const temporary = left.filter((path) => /\.tmp$|~$|\.part$/.test(path));
  if (temporary.length > 0) problems.push(`left behind: ${temporary.join(", ")}`);
  rmSync(join(disk, FILLING));
  const leftBefore = left.length > 0 ? again : [];
  const later = await write(folder, [...words, ...leftBefore], "disk");
  if (later.code !== 0)
    problems.push(
      `with room it ends with ${later.code}: ${later.said.trim()} (left were ${left.join(", ")})`,
    );
  else if (!isRandom && differing(expected, disk).length > 0)
    problems.push(`with room it writes other bytes: ${differing(expected, disk).join(", ")}`);
  return problems;
}

/** Does something with the words of a command, for a client while a new federation is served. */
async function withServer<T>(
  folder: string,
  { words, isClient = false }: WritingCase,
  act: (words: readonly string[]) => Promise<T>,
): Promise<T> {
  if (!isClient) return act(words);
  rmSync(join(folder, "served"), { recursive: true, force: true });
  const { url, server } = await startFederation(folder, { state: "served" });
  try {
    return await act(words.map((word) => word.replace("SERVER", url)));
  } finally {
    server.signal("SIGKILL");
    await server.ended;
  }
}

/** Makes the folder of what commands write on a disk with room. */
function makeExpected(folder: string): string {
  const expected = join(folder, "expected");
  rmSync(expected, { recursive: true, force: true });
  mkdirSync(expected);
  return expected;
}

/** Fills a disk until the function returned is called. */
function fillFor(disk: string): () => void {
  fill(disk, 0);
  return () => rmSync(join(disk, FILLING));
}

function empty(disk: string): void {
  for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true, force: true });
}

/** Fills a disk but for so many bytes. */
function fill(disk: string, free: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, FILLING), Buffer.alloc(Math.max(0, bavail * bsize - free)));
}

/** Reads a file as if it always lay at the same place, and took no time. */
function contentOf(path: string): string {
  return readFileSync(path, "latin1").replaceAll(PLACES, "place/").replaceAll(TIMES, "");
}

/** Returns whether two files are alike. */
function sameFile(a: string, b: string): boolean {
  return contentOf(a) === contentOf(b);
}

/** Lists the files of a folder that another folder lacks, or has with other bytes; locks and times are left out. */
function differing(expected: string, disk: string): readonly string[] {
  return filesBelow(expected)
    .map((path) => relative(expected, path))
    .filter((path) => !/time\.json$|\.lock$/.test(path))
    .filter((path) => !existsSync(join(disk, path)) || !sameFile(join(expected, path), join(disk, path)));
}
