import { describe, expect, it } from "vitest";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { decodeNumpyPickle } from "./decode-numpy-pickle.ts";

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

/** Operations of Python 2 that make an array of bytes, whose state has the parts that are given. */
const array = ({ shape = "K\x02K\x03\x86", type = "u1", order = "\x89", bytes = "U\x06abcdef" } = {}) =>
  `cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01${shape}` +
  `cnumpy\ndtype\nU\x02${type}K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb${order}${bytes}tb`;

const decode = (body: string) => decodeNumpyPickle(latin1(`\x80\x02}(${body}u.`), "x");

describe("decodeNumpyPickle()", () => {
  it("decodes what Python 2 wrote: strings, lists, numbers and arrays of bytes", () => {
    const values = decode(
      `U\x06labels](K\x07K\x03eU\x04name\nU\x01aU\x04data${array()}`.replace("name\n", "name"),
    );
    expect(values.get("labels")).toEqual([7, 3]);
    expect(values.get("name")).toBe("a");
    expect(values.get("data")).toEqual({ shape: [2, 3], data: latin1("abcdef") });
  });

  it("puts columns that were stored first in rows", () => {
    expect(decode(`U\x04data${array({ order: "\x88" })}`).get("data")).toEqual({
      shape: [2, 3],
      data: new Uint8Array(latin1("acebdf")),
    });
  });

  it.each([
    [
      "elements of another type",
      array({ type: "f8" }),
      UnsupportedError,
      /arrays must be of bytes: one is of f8/,
    ],
    [
      "fewer bytes",
      array({ bytes: "U\x05abcde" }),
      FormatError,
      /an array \[2, 3\] must have as many bytes: it has 5/,
    ],
    [
      "an extent below 0",
      array({ shape: "J\xff\xff\xff\xffJ\xfa\xff\xff\xff\x86" }),
      FormatError,
      /it has 6 bytes/,
    ],
    ["no bytes", array({ bytes: "N" }), FormatError, /it has no bytes/],
    ["a name of code", "cos\nsystem\nU\x02id\x85R", UnsupportedError, /names os\.system, which is not run/],
    ["a name like an object's", "cnumpy\n__proto__\n)R", UnsupportedError, /names numpy\.__proto__/],
  ])("refuses %s", (_, body, type, message) => {
    expect(() => decode(`U\x04data${body}`)).toThrow(type);
    expect(() => decode(`U\x04data${body}`)).toThrow(message);
  });

  it("refuses what is no dictionary", () => {
    expect(() => decodeNumpyPickle(latin1("\x80\x02K\x01."), "x")).toThrow(/it must be a dictionary$/);
  });
});
