import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../errors.ts";
import { MAX_JSON_DEPTH, parseJson } from "./parse-json.ts";

const PURPOSE = { attempt: 'read "x.json"', format: "json" };

describe("parseJson()", () => {
  it("reads what JSON.stringify writes, as text and as bytes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text, PURPOSE)).toEqual(JSON.parse(text));
        expect(parseJson(Buffer.from(text), PURPOSE)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("takes off a byte order mark", () => {
    expect(parseJson(Buffer.from("\ufeff[1]"), PURPOSE)).toEqual([1]);
  });

  it("reads the numbers that only Python writes if asked, and leaves strings as they are", () => {
    const text = '{"limit":[0.0,Infinity,-Infinity,NaN],"Infinity":"NaN \\" Infinity"}';
    const read = { limit: [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null] };
    const named = { ...read, Infinity: 'NaN " Infinity' };
    expect(parseJson(text, { ...PURPOSE, pythonNumbers: true })).toEqual(named);
    expect(() => parseJson(text, PURPOSE)).toThrow(FormatError);
    expect(() => parseJson('["Infinity', { ...PURPOSE, pythonNumbers: true })).toThrow(FormatError);
  });

  it.each([
    ["[", "]"],
    ['{"a":', "}"],
    ['[{"a":', "}]"],
  ])("counts the levels of %s and refuses one too many", (open, close) => {
    const levels = open.startsWith("[{") ? 2 : 1;
    const nest = (times: number) => `${open.repeat(times)}1${close.repeat(times)}`;
    const most = MAX_JSON_DEPTH / levels;
    expect(() => parseJson(nest(most), PURPOSE)).not.toThrow();
    for (const times of [most + 1, 200_000]) {
      expect(() => parseJson(nest(times), PURPOSE)).toThrow(FormatError);
      expect(() => parseJson(nest(times), PURPOSE)).toThrow(
        /^Cannot read "x\.json" as its JSON may be nested 128 levels deep: it is nested deeper at character/,
      );
    }
  });

  it("counts no brackets within strings", () => {
    const text = JSON.stringify({ [`${"[".repeat(500)}\\"{`]: `"${"{".repeat(500)}\\` });
    expect(parseJson(text, PURPOSE)).toEqual(JSON.parse(text));
  });

  it("says what was attempted where a text is not JSON", () => {
    for (const text of ["", "{", '{"a', '"\\', "]".repeat(1000), "\u0000", "nul"]) {
      expect(() => parseJson(text, { ...PURPOSE, rule: "a list must be JSON" })).toThrow(
        /^Cannot read "x\.json" as a list must be JSON: /,
      );
    }
    expect(() => parseJson(Uint8Array.of(0xff), PURPOSE)).toThrow(/as it must be JSON: /);
  });

  it("refuses keys that are there twice, if told to", () => {
    const text = '{"a":1,"b":{"a":1,"a":2}}';
    expect(parseJson(text, PURPOSE)).toEqual({ a: 1, b: { a: 2 } });
    expect(() => parseJson(text, { ...PURPOSE, distinctKeys: true })).toThrow(
      'as its names must differ: "a" is there twice',
    );
  });
});
