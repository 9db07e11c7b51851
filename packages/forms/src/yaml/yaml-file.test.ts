import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { findDeepLine, MOST_YAML_LEVELS } from "./deep-yaml.ts";
import { findProblems, readYamlFile, rejectProblems } from "./yaml-file.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-forms-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function readText(text: string) {
  const path = join(folder, "form.yaml");
  await writeFile(path, text);
  return readYamlFile(path, "form");
}

describe("findProblems()", () => {
  const schema = z.strictObject({
    title: z.string(),
    parts: z.array(z.strictObject({ size: z.int() })),
  });

  it.each([
    [
      "a value of another type, on the line of its key",
      "title: x\nparts:\n  - size: big\n",
      /^3: "parts\.0\.size" must be a number/,
    ],
    [
      "a missing key, on the line of what is around it",
      "title: x\nparts:\n  - {}\n",
      /^3: "parts\.0\.size" is missing/,
    ],
    [
      "an unknown key, with the one that is meant",
      "title: x\nparts: []\ntitel: y\n",
      /^3: unknown key "titel"; did you mean "title"\?/,
    ],
    [
      "what stands behind an alias, where it is written",
      "title: &t { size: x }\nparts: [*t]\n",
      /^1: "parts\.0\.size"/,
    ],
  ])("names %s", async (_, text, expected) => {
    const { source, value } = await readText(text);
    expect(findProblems(schema, value, { source })).toEqual(
      expect.arrayContaining([expect.stringMatching(expected)]),
    );
  });
});

it("rejectProblems() lists eight problems, and how many more there are", () => {
  const problems = Array.from({ length: 10 }, (_, i) => `${i + 1}: it is wrong`);
  expect(() => rejectProblems("form", "f.yaml", problems)).toThrow(/f\.yaml:8: it is wrong\n {2}and 2 more$/);
  expect(() => rejectProblems("form", "f.yaml", [])).not.toThrow();
});

describe("findDeepLine()", () => {
  it("finds the line of any text that is nested twice as deep as files may be, and of none of half the depth", () => {
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: MOST_YAML_LEVELS / 2 }), (before, levels) => {
        const lead = "# a line\n".repeat(before);
        expect(findDeepLine(`${lead}a: ${nested(levels)}\n`)).toBeUndefined();
        expect(findDeepLine(`${lead}a: ${nested(2 * MOST_YAML_LEVELS + levels)}\n`)).toBe(before + 1);
      }),
    );
  });

  it("readYamlFile() refuses such a text by its line", async () => {
    await expect(readText(`a: 1\nb: ${"[".repeat(400)}`)).rejects.toThrow(
      /Cannot read the form as its YAML may be nested 128 levels deep: form\.yaml:2 is nested deeper$/,
    );
  });
});
