import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isMarkAlive, processMark } from "./process-mark.ts";

describe("processMark() and isMarkAlive()", () => {
  it("tell a running process from one that has ended", async () => {
    expect(await isMarkAlive(processMark())).toBe(true);
    expect(await isMarkAlive("1-0")).toBe(true);
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    expect(await isMarkAlive(`${ended}-0`)).toBe(false);
    for (const mark of ["", "-", "0-0", "x-1", "99999999999999999999-1"])
      expect(await isMarkAlive(mark)).toBe(false);
  });

  it.runIf(process.platform === "linux")(
    "take one that has ended for ended before its parent asks",
    async () => {
      // The shell becomes a program that never asks for the child that the shell has started.
      const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"]);
      const [line] = await once(parent.stdout, "data");
      await expect.poll(() => isMarkAlive(`${String(line).trim()}-0`)).toBe(false);
      parent.kill();
    },
  );

  it.runIf(process.platform === "linux")(
    "tell a process from an earlier one of the same number",
    async () => {
      const [pid, start] = processMark().split("-");
      expect(Number(start)).toBeGreaterThan(0);
      expect(await isMarkAlive(`${pid}-${Number(start) - 1}`)).toBe(false);
      const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
      expect(await isMarkAlive(`${child.pid}-0`)).toBe(true);
      expect(await isMarkAlive(`${child.pid}-1`)).toBe(false);
      child.kill();
    },
  );
});
