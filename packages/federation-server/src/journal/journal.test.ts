import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { beginChain, encodeLine, openJournal } from "./journal.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const lines = fc.array(
  fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
  {
    maxLength: 6,
  },
);
/** Opens a journal, reads what it holds, and leaves it open to be written to. */
async function open(path: string) {
  const lines: unknown[] = [];
  const journal = await openJournal(path, (line) => lines.push(line));
  expect(journal.lines).toBe(lines.length);
  return { ...journal, lines };
}

/** Returns what a journal of these lines has, and of the first version if its first line says so. */
function encode(values: readonly object[]): string[] {
  const chain = beginChain();
  return values.map((value) => encodeLine(value, chain));
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("openJournal()", () => {
  it("holds what was appended, also at once and by several openings", async () => {
    const path = join(folder, "journal");
    await fc.assert(
      fc.asyncProperty(lines, lines, async (first, second) => {
        rmSync(path, { force: true });
        const journal = await open(path);
        await Promise.all(first.map((line) => journal.append(line)));
        await journal.close();
        const again = await open(path);
        expect(again.lines).toEqual(plain(first));
        for (const line of second) await again.append(line);
        await again.close();
        const last = await open(path);
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
        const bytes = Buffer.from(encode(written).join(""));
        const cut = Math.floor(share * bytes.length);
        writeFileSync(path, bytes.subarray(0, cut));
        const whole = bytes.subarray(0, cut).filter((byte) => byte === 10).length;
        const journal = await open(path);
        expect(journal.lines).toEqual(plain(written.slice(0, whole)));
        await journal.append({ next: true });
        await journal.close();
        const again = await open(path);
        expect(again.lines).toEqual([...(plain(written.slice(0, whole)) as unknown[]), { next: true }]);
        await again.close();
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a line that was changed", async () => {
    const path = join(folder, "journal");
    writeFileSync(path, encode([{ a: 1 }, { b: 2 }, { c: 3 }]).join(""));
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('"b":2') + 4] = 0x33;
    writeFileSync(path, bytes);
    await expect(open(path)).rejects.toThrow(/line 2 does not/);
    appendFileSync(path, "torn");
    await expect(open(path)).rejects.toThrow(/line 2 does not/);
  });

  it("refuses a line that is missing, moved, doubled or of another journal, and says which does not follow", async () => {
    const path = join(folder, "journal");
    const [a = "", b = "", c = "", d = ""] = encode([{ a: 1 }, { b: 2 }, { c: 3 }, { d: 4 }]);
    const [, other = ""] = encode([{ x: 1 }, { b: 2 }]);
    for (const [lines, first] of [
      [[a, c, d], 2],
      [[b, c, d], 1],
      [[a, c, b, d], 2],
      [[a, b, b, c], 3],
      [[a, other, c], 2],
    ] as const) {
      writeFileSync(path, lines.join(""));
      await expect(open(path)).rejects.toThrow(`line ${first} does not`);
    }
  });

  it("goes on with a journal of the first version, whose lines have sums of their own", async () => {
    const path = join(folder, "journal");
    const sum = (json: string) => createHash("sha256").update(json).digest("hex").slice(0, 16);
    const written = [{ format: "x", version: 1 }, { b: 2 }];
    const lines = written.map((value) => JSON.stringify(value)).map((json) => `${sum(json)} ${json}\n`);
    writeFileSync(path, lines.join(""));
    const journal = await open(path);
    expect(journal.lines).toEqual(written);
    await journal.append({ c: 3 });
    await journal.close();
    expect(readFileSync(path, "utf8")).toBe(`${lines.join("")}${sum('{"c":3}')} {"c":3}\n`);
  });

  it("refuses to write a line that it could not read again, and takes the longest that it can", async () => {
    const path = join(folder, "journal");
    const journal = await open(path);
    const most = { x: "é".repeat(2 ** 23 - 14) };
    await journal.append(most);
    await expect(journal.append({ x: "é".repeat(2 ** 23) })).rejects.toThrow(/too long to be read again/);
    await journal.close();
    const again = await open(path);
    expect(again.lines).toEqual([most]);
    await again.close();
    writeFileSync(path, "x".repeat(2 ** 24 + 2 ** 17));
    await expect(open(path)).rejects.toThrow(/a line may have 16777216 bytes/);
  });

  it("is for the user of the server alone", async () => {
    const path = join(folder, "journal");
    writeFileSync(path, "", { mode: 0o644 });
    await (await open(path)).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
