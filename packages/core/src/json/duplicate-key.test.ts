import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findDuplicateKey } from "./parse-json.ts";

describe("findDuplicateKey()", () => {
  it("finds a key that occurs twice in one object, however it is written", () => {
    expect(findDuplicateKey('{"a":1,"a":2}')).toBe("a");
    expect(findDuplicateKey('{"a":1,"\\u0061":2}')).toBe("a");
    expect(findDuplicateKey('[{"b":{"a":1,"c":[],"a":2}}]')).toBe("a");
    expect(findDuplicateKey('{ "\\"" : 1 , "\\"" : 2 }')).toBe('"');
    expect(findDuplicateKey('{"\\\\":1,"\\\\":2}')).toBe("\\");
  });

  it("takes equal keys of different objects, and equal values, for what they are", () => {
    expect(findDuplicateKey('{"a":{"a":"a"},"b":{"a":["a","a",{"a":1}]}}')).toBeUndefined();
    expect(findDuplicateKey('{"a":":{\\"a\\":1}","b":"\\\\"}')).toBeUndefined();
  });

  it("finds none in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 2 }), (value, indent) => {
        expect(findDuplicateKey(JSON.stringify(value, undefined, indent))).toBeUndefined();
      }),
    );
  });
});
