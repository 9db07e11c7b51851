import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { listErrorMessages } from "../tools/site/error-messages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "docs", "errors.md"), "utf8");
const shown = [...page.matchAll(/^```text\n(Cannot [^\n]*)\n```$/gm)].map(([, message = ""]) => message);

/** Makes a pattern of a message of the sources, in which values may be anything. */
function patternOf(words: string): RegExp {
  const parts = words.split(/‹[^›]*›/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*")}$`);
}

describe("docs/errors.md", () => {
  // A pattern of values alone would fit anything.
  const patterns = listErrorMessages()
    .filter(({ words }) => words.replace(/‹[^›]*›/g, "").length > 40)
    .map(({ words }) => patternOf(words));

  it("shows ten things that go wrong", () => {
    expect(page.match(/^## /gm)).toHaveLength(11);
    expect(shown.length).toBeGreaterThanOrEqual(7);
  });

  it.each(shown)("shows a message as the sources have it: %s", (message) => {
    expect(patterns.some((pattern) => pattern.test(message))).toBe(true);
  });

  it("would not take a message that the sources do not have", () => {
    for (const message of shown) {
      const other = message.replace(/ as (?:it|they|its|every|checkpoints) /, " as somehow ");
      expect(other).not.toBe(message);
      expect(
        patterns.some((pattern) => pattern.test(other)),
        other,
      ).toBe(false);
    }
  });

  it("shows the warnings that are printed", () => {
    const verdict = "were trained apart and have no units in common";
    expect(page).toContain(verdict);
    expect(readFileSync(join(root, "docs", "start", "script.md"), "utf8")).toContain(verdict);
  });
});
