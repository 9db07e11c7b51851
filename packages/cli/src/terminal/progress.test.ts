import { describe, expect, it, vi } from "vitest";
import { createProgress, repeatProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

function fakeTerminal(interactive: boolean, unicode = true) {
  const statuses: string[] = [];
  const notes: string[] = [];
  const terminal: Terminal = {
    columns: 60,
    color: false,
    unicode,
    interactive,
    print: () => {},
    note: (line) => void notes.push(line),
    status: (line) => void statuses.push(line),
    settle: async () => true,
  };
  return { terminal, statuses, notes };
}

describe("createProgress()", () => {
  it("createProgress() draws a bar on a screen, not more often than it can be seen", () => {
    const { terminal, statuses, notes } = fakeTerminal(true);
    let time = 0;
    const progress = createProgress(terminal, () => time);
    progress("Measuring", 0.5);
    progress("Measuring", 0.6);
    time += 1000;
    progress("Measuring", 1);
    progress("Writing");
    expect(statuses).toEqual([
      "████████████░░░░░░░░░░░░  50 % Measuring",
      "████████████████████████ 100 % Measuring",
      "Writing",
    ]);
    expect(notes).toEqual([]);
  });

  it("createProgress() writes a plain line every few seconds where there is no screen", () => {
    const { terminal, statuses, notes } = fakeTerminal(false);
    let time = 0;
    const progress = createProgress(terminal, () => time);
    for (; time < 11_000; time += 1000) progress("Measuring", time / 20_000);
    expect(notes).toEqual(["Measuring:  25 %", "Measuring:  50 %"]);
    expect(statuses).toEqual([]);
  });

  it("createProgress() writes fewer lines the longer it takes", () => {
    const { terminal, notes } = fakeTerminal(false);
    let time = 0;
    const progress = createProgress(terminal, () => time);
    const linesUntil = (seconds: number) => {
      for (; time <= 1000 * seconds; time += 1000) progress("Measuring", 0);
      return notes.length;
    };
    const [minutes, hour, more] = [linesUntil(600), linesUntil(3600), linesUntil(4200)];
    expect(minutes).toBeLessThan(40);
    expect(hour - minutes).toBe(50);
    expect(more - hour).toBe(10);
  });

  it("createProgress() never draws beyond the screen, in ASCII where it must", () => {
    const { terminal, statuses } = fakeTerminal(true, false);
    createProgress(terminal)("x".repeat(100), 2);
    expect(statuses[0]).toMatch(/^#{24} 200 % x+$/);
    expect(statuses[0]).toHaveLength(59);
  });
});

describe("repeatProgress()", () => {
  it("repeatProgress() writes the last step again while nothing new is reported, as often as any line", () => {
    vi.useFakeTimers();
    const { terminal, notes } = fakeTerminal(false);
    const { progress, keepTelling } = repeatProgress(createProgress(terminal));
    const stop = keepTelling();
    vi.advanceTimersByTime(6000);
    expect(notes).toEqual([]);
    progress("Waiting", 0.25);
    vi.advanceTimersByTime(4999);
    expect(notes).toEqual(["Waiting:  25 %"]);
    vi.advanceTimersByTime(20_000);
    expect(notes.length).toBeGreaterThan(3);
    progress("Waiting", 0.5);
    vi.advanceTimersByTime(6000);
    expect(notes.at(-1)).toBe("Waiting:  50 %");
    const before = notes.length;
    stop();
    vi.advanceTimersByTime(600_000);
    expect(notes).toHaveLength(before);
    vi.useRealTimers();
  });
});
