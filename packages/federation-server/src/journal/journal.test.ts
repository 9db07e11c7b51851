import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeLine, openJournal } from "./journal.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const lines = fc.array(
  fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
  {
    maxLength: 6,
  },
);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("openJournal()", () => {
  it("holds what was appended, also at once and by several openings", async () => {
    const path = join(folder, "journal");
    await fc.assert(
      fc.asyncProperty(lines, lines, async (first, second) => {
        rmSync(path, { force: true });
        const journal = await openJournal(path);
        await Promise.all(first.map((line) => journal.append(line)));
        await journal.close();
        const again = await openJournal(path);
        expect(again.lines).toEqual(plain(first));
        for (const line of second) await again.append(line);
        await again.close();
        const last = await openJournal(path);
        expect([last.lines, last.torn]).toEqual([plain([...first, ...second]), 0]);
        await last.close();
      }),
      { numRuns: 30 },
    );
  });

  it("drops a torn last line wherever it was cut, and goes on after the whole ones", async () => {
    const path = join(folder, "journal");
    await fc.assert(
      fc.asyncProperty(lines, fc.double({ min: 0, max: 1, noNaN: true }), async (written, share) => {
        const bytes = Buffer.from(written.map(encodeLine).join(""));
        const cut = Math.floor(share * bytes.length);
        writeFileSync(path, bytes.subarray(0, cut));
        const whole = bytes.subarray(0, cut).filter((byte) => byte === 10).length;
        const journal = await openJournal(path);
        expect(journal.lines).toEqual(plain(written.slice(0, whole)));
        await journal.append({ next: true });
        await journal.close();
        const again = await openJournal(path);
        expect(again.lines).toEqual([...(plain(written.slice(0, whole)) as unknown[]), { next: true }]);
        await again.close();
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a line that was changed", async () => {
    const path = join(folder, "journal");
    writeFileSync(path, [{ a: 1 }, { b: 2 }, { c: 3 }].map(encodeLine).join(""));
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('"b":2') + 4] = 0x33;
    writeFileSync(path, bytes);
    await expect(openJournal(path)).rejects.toThrow(/line 2 does not/);
    appendFileSync(path, "torn");
    await expect(openJournal(path)).rejects.toThrow(/line 2 does not/);
  });
});
