import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { xmlText } from "./xml-text.ts";

describe("xmlText()", () => {
  it("replaces what XML forbids and nothing else", () => {
    expect(xmlText("\u0000\u0001\u001b\ufffe\uffff\ud800\udc00!")).toBe(
      "\ufffd\ufffd\ufffd\ufffd\ufffd\u{10000}!",
    );
    expect(xmlText("\ud800x\udc00")).toBe("\ufffdx\ufffd");
    expect(xmlText("a\tb\nc\rd \u0085é\u{1f600}")).toBe("a\tb\nc\rd \u0085é\u{1f600}");
  });

  it("leaves what it has made as it is, and as long", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(xmlText(xmlText(text))).toBe(xmlText(text));
        expect(xmlText(text)).toHaveLength(text.length);
        expect(() => encodeURI(xmlText(text))).not.toThrow();
      }),
    );
  });
});
