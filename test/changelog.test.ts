import { describe, expect, it } from "vitest";
import { addVersion, listNotes, readNote, SUBJECTS } from "../tools/changelog.mjs";
import { packageNames } from "../tools/packages.mjs";

const NOTES = [
  readNote(
    '---\n"isthmus": minor\n"@isthmus/merging": patch\n---\n\nMerges of mixed files. They\nwork.\n\n- One\n',
  ),
  readNote('---\n"@isthmus/cli": patch\n"@isthmus/distributed": patch\n---\n\nWorkers end:\n\n- at once\n'),
];
const LIST = "https://example.org/0.2.0.md";

describe("the changelog of a version", () => {
  it("is the part that was written by hand, with a link to every note", () => {
    const before =
      "# Changes\n\nAll.\n\n## Unreleased\n\nBy hand.\n\n### Merging\n\n## 0.1.0\n\nThe first.\n";
    expect(addVersion(before, { version: "0.2.0", notes: NOTES, list: LIST })).toBe(
      `# Changes\n\nAll.\n\n## 0.2.0\n\nBy hand.\n\n### Merging\n\n[All 2 notes](${LIST}), in full.\n\n## 0.1.0\n\nThe first.\n`,
    );
  });

  it("is the first sentence of each note by subject if nothing was written by hand", () => {
    const text = addVersion("# Changes\n\n## 0.1.0\n", { version: "0.2.0", notes: NOTES, list: LIST });
    expect(text).toBe(
      `# Changes\n\n## 0.2.0\n\n### Merging\n\n#### New\n\n- Merges of mixed files.\n\n### Many machines\n\n#### Mended\n\n- Workers end.\n\n[All 2 notes](${LIST}), in full.\n\n## 0.1.0\n`,
    );
  });

  it("has every note in full beside it, with its packages", () => {
    expect(listNotes({ version: "0.2.0", notes: NOTES })).toBe(
      "# Every note of 0.2.0\n\nThe changelog is the short account of it.\n\n## Merging\n\n### New\n\n- **isthmus, merging**: Merges of mixed files. They\n  work.\n\n  - One\n\n## Many machines\n\n### Mended\n\n- **cli, distributed**: Workers end:\n\n  - at once\n",
    );
  });

  it("sorts the notes of every package", () => {
    const sorted = Object.values(SUBJECTS).flat();
    expect(packageNames.filter((name) => !sorted.includes(name))).toEqual([]);
  });
});
