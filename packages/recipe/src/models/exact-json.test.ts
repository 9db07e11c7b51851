import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatExactJson, readExactJson } from "./exact-json.ts";

let path: string;
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), "isthmus-json-")), "x.json");
});
afterAll(() => rm(join(path, ".."), { recursive: true }));

async function rewrite(text: string): Promise<string> {
  await writeFile(path, text);
  return formatExactJson(await readExactJson(path));
}

describe("readExactJson()", () => {
  it("keeps numbers as they were written, in lists too, and strings that look like numbers", async () => {
    const text = `{
  "rope_theta": 10000.0,
  "eps": 1e-05,
  "length": 1000000000000000019884624838656,
  "list": [
    1.0,
    -0.0,
    2,
    -3.50,
    Infinity,
    -Infinity,
    NaN
  ],
  "ok": true,
  "no": false,
  "name": "1.0 NaN \\\\ \\"2.0\\""
}
`;
    expect(await rewrite(text)).toBe(text);
    expect(await readExactJson(path)).toMatchObject({
      list: [expect.any(String), expect.any(String), 2, ...Array(4).fill(expect.any(String))],
    });
  });

  it("changes no value", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (value) => {
        expect(JSON.parse(await rewrite(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("takes long strings of escapes", async () => {
    const text = `{"a": "${"\\n".repeat(1_000_000)}"}`;
    expect(JSON.parse(await rewrite(text))).toEqual(JSON.parse(text));
  });

  it.each(["[1.0]", '{"a": 1.0', "", '{"a": 01.0}', '"1.0"'])("refuses %j", async (text) => {
    await expect(rewrite(text)).rejects.toMatchObject({ _tag: "FormatError" });
  });
});
