import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { medianOf } from "./fit-cost.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MEGABYTES = 512;

/** Names the machine, and the day. */
export function describeMachine(day: string): string {
  return `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? "an unknown kind"}, ${day}`;
}

/** What merging by TIES takes. */
export interface MergeMeasurement {
  /** Bytes a second that one core reads and writes, by the time of processors that it took. */
  readonly bytesPerCoreSecond: number;
  readonly command: string;
}

/** Measures merging by TIES, of a base and two networks in files, by the bench of the package. */
export function measureMerge(): MergeMeasurement {
  const args = ["packages/merging/bench/methods.bench.ts", "--methods", "ties", "--megabytes", "128"];
  const command = ["npx", "tsx", "--conditions=@isthmus/source", ...args];
  const [program = "", ...rest] = command;
  const lines = execFileSync(program, rest, { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  const row = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find(({ method }) => method === "ties");
  if (row === undefined)
    throw new Error(`Cannot read "${command.join(" ")}" as it must print a line of ties`);
  // Four tensors of 128 megabytes: three are read, one is written.
  return {
    bytesPerCoreSecond: (4 * 128 * 2 ** 20) / (Number(row["cpuMs"]) / 1000),
    command: command.join(" "),
  };
}

/** Bytes a second of the disk, without the memory of the system between. */
export interface DiskMeasurement {
  readonly write: number;
  readonly read: number;
}

/** Measures the disk by `dd`, which goes around the cache. */
export function measureDisk(): DiskMeasurement {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-disk-"));
  const file = join(folder, "data");
  const copy = (...args: readonly string[]): number => {
    const { stderr } = spawnSync("dd", ["bs=4M", `count=${MEGABYTES / 4}`, ...args], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
    const [, bytes, seconds] = /(\d+) bytes.* copied, ([\d.]+) s/.exec(stderr) ?? [];
    if (seconds === undefined) throw new Error(`Cannot measure the disk as dd must say its time: ${stderr}`);
    return Number(bytes) / Number(seconds);
  };
  try {
    const write = copy("if=/dev/zero", `of=${file}`, "oflag=direct");
    return { write, read: copy(`if=${file}`, "of=/dev/null", "iflag=direct") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Measures the seconds of claiming a task by renaming one of a thousand files of a local folder. */
export function measureFolder(): number {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-folder-"));
  try {
    for (let index = 0; index < 1000; index++) writeFileSync(join(folder, `waiting-${index}`), "{}");
    const times = Array.from({ length: 300 }, () => {
      const began = performance.now();
      const first = readdirSync(folder).find((name) => name.startsWith("waiting-"));
      if (first === undefined) throw new Error("Cannot claim a task as one must wait: none does");
      renameSync(join(folder, first), join(folder, `running-${first}`));
      return (performance.now() - began) / 1000;
    });
    return medianOf(times);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
