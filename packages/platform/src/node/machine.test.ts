import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { peakMemory } from "./machine.ts";

describe("peakMemory()", () => {
  it("grows with what the process uses", () => {
    const before = process.memoryUsage.rss();
    const bytes = Buffer.alloc(2 ** 27, 1);
    expect(peakMemory()).toBeGreaterThanOrEqual(before);
    expect(peakMemory()).toBeGreaterThan(bytes.length);
  });

  // Other systems have no mark of the program alone.
  it.skipIf(process.platform !== "linux")("does not count the process that started this one", () => {
    const held = Buffer.alloc(2 ** 29, 1);
    const module = fileURLToPath(new URL("machine.ts", import.meta.url));
    const script = `import(${JSON.stringify(module)}).then(({ peakMemory }) => console.log(peakMemory()))`;
    const tsx = ["--import", "tsx", "-e", script];
    expect(Number(execFileSync(process.execPath, tsx, { encoding: "utf8" }))).toBeLessThan(held.length / 2);
  });
});
