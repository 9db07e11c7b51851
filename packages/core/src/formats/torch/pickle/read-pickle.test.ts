import { describe, expect, it } from "vitest";
import { FormatError, UnsupportedError } from "../../../errors.ts";
import { PickleBudget } from "./pickle-budget.ts";
import { type PickleHost, readPickle } from "./read-pickle.ts";
import { type PickleDict, PickleGlobal, type PickleSet, PickleTuple } from "./values.ts";

/** A host that finds everything, with a new budget. */
function newHost(): PickleHost {
  return {
    find: (module, name) =>
      new PickleGlobal(`${module}.${name}`, name === "inert" ? undefined : (args) => [name, ...args]),
    load: (id) => ({ id }),
    budget: new PickleBudget("test"),
  };
}

/** Reads a pickle written as Latin-1 text. */
function read(text: string): unknown {
  return readPickle(Uint8Array.from(Buffer.from(text, "latin1")), newHost(), "test").value;
}

describe("readPickle()", () => {
  it("reads scalars", () => {
    expect(read("\x80\x02N.")).toBe(null);
    expect(read("\x80\x02\x88.")).toBe(true);
    expect(read("\x80\x02\x89.")).toBe(false);
    expect(read("K\xff.")).toBe(255);
    expect(read("M\x34\x12.")).toBe(0x1234);
    expect(read("J\xff\xff\xff\xff.")).toBe(-1);
    expect(read("\x8a\x00.")).toBe(0);
    expect(read("\x8a\x01\x80.")).toBe(-128);
    expect(read("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.")).toBe(2n ** 63n);
    expect(read("\x8b\x02\x00\x00\x00\x00\x01.")).toBe(256);
    expect(read("G\x3f\xf8\x00\x00\x00\x00\x00\x00.")).toBe(1.5);
  });

  it("reads strings and bytes", () => {
    expect(read("X\x02\x00\x00\x00\xc3\xa9.")).toBe("é");
    expect(read("\x8c\x01a.")).toBe("a");
    expect(read("\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.")).toBe("a");
    expect(read("U\x01\xe9.")).toBe("é");
    expect(read("T\x01\x00\x00\x00\xe9.")).toBe("é");
    expect(read("C\x02ab.")).toEqual(Uint8Array.of(97, 98));
    expect(read("B\x01\x00\x00\x00a.")).toEqual(Uint8Array.of(97));
  });

  it("reads containers", () => {
    expect(read("](K\x01K\x02e.")).toEqual([1, 2]);
    expect(read("]K\x01a.")).toEqual([1]);
    expect(read("(K\x01K\x02l.")).toEqual([1, 2]);
    expect(read("(K\x01K\x02t.")).toEqual(new PickleTuple([1, 2]));
    expect(read("K\x01K\x02K\x03\x87.")).toEqual(new PickleTuple([1, 2, 3]));
    const dictionary = read("}(\x8c\x01aK\x01\x8c\x01bK\x02u\x8c\x01cK\x03s.") as PickleDict;
    expect([...dictionary.entries]).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    expect([...(read("(\x8c\x01aK\x01d.") as PickleDict).entries]).toEqual([["a", 1]]);
    expect((read("\x8f(K\x01K\x02\x90.") as PickleSet).items).toEqual([1, 2]);
    expect((read("(K\x01\x91.") as PickleSet).items).toEqual([1]);
  });

  it("reads strings of pickles that Python 2 wrote as Latin-1", () => {
    const bytes = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join("");
    expect(read(`U\xff${bytes}.`)).toBe(bytes);
    expect(read(`T\xff\x00\x00\x00${bytes}.`)).toBe(bytes);
  });

  it("keeps and recalls values", () => {
    const list = read("]q\x00(h\x00]\x94h\x01e.") as unknown[];
    expect(list[0]).toBe(list);
    expect(list[1]).toBe(list[2]);
    expect(read("K\x01r\x05\x00\x00\x000j\x05\x00\x00\x00.")).toBe(1);
    expect(read("K\x012\x86.")).toEqual(new PickleTuple([1, 1]));
  });

  it("calls what the host allows, and only that", () => {
    expect(read("cmod\nname\n(K\x01tR.")).toEqual(["name", 1]);
    expect(read("\x8c\x03mod\x8c\x04name\x93K\x01\x85\x81.")).toEqual(["name", 1]);
    expect(read("cmod\nname\n)}\x92.")).toEqual(["name"]);
    expect(() => read("cmod\ninert\n)R.")).toThrow(UnsupportedError);
    expect(() => read("K\x01)R.")).toThrow(/neither a class nor a function/);
    expect(() => read("cmod\nname\nK\x01R.")).toThrow(/not a tuple/);
    expect(() => read("cmod\nname\n)}K\x01K\x02s\x92.")).toThrow(/keywords/);
    expect(read("K\x07Q.")).toEqual({ id: 7 });
    expect(read("K\x07}b.")).toBe(7);
  });

  it("says where a pickle ends", () => {
    expect(readPickle(Uint8Array.from(Buffer.from("xxK\x01.yy", "latin1")), newHost(), "test", 2)).toEqual({
      value: 1,
      end: 5,
    });
  });

  it.each([
    ["ends too early", "]K", /claims 1 bytes of 0/],
    ["has no end", "K\x01", /claims 1 bytes of 0/],
    [
      "claims a string of 2^60 bytes",
      "\x8d\x00\x00\x00\x00\x00\x00\x00\x10a.",
      /claims 115292150460684\d+ bytes/,
    ],
    ["claims an integer of 4 GB", "\x8b\xff\xff\xff\xffa.", /claims an integer of 4294967295 bytes/],
    ["takes from an empty stack", ".", /empty stack/],
    ["recalls what was not kept", "h\x05.", /recalls value 5/],
    ["goes back to no mark", "t.", /mark that is not there/],
    ["appends to a number", "K\x01K\x02a.", /not a list/],
    ["sets an item of a list", "]K\x01K\x02s.", /not a dictionary/],
    ["sets a key without a value", "}(K\x01u.", /key without a value/],
    ["has text that is not UTF-8", "X\x01\x00\x00\x00\xff.", /must be UTF-8/],
    ["names a global without a line break", "cmod", /claims \d+ bytes/],
  ])("refuses a pickle that %s", (_, text, message) => {
    expect(() => read(text)).toThrow(FormatError);
    expect(() => read(text)).toThrow(message);
  });

  it.each([
    ["protocol 0", "I1\n."],
    ["instances by hand", "(imod\nname\n."],
    ["extensions", "\x82\x01."],
    ["buffers beside the pickle", "\x97."],
    ["a protocol to come", "\x80\x06N."],
  ])("does not handle %s", (_, text) => {
    expect(() => read(text)).toThrow(UnsupportedError);
  });

  it("allows a list of plain values of any length, up to the limit for all pickles", () => {
    const plain = (count: number) => `](${"N".repeat(count)}e.`;
    expect(read(plain(1_000_000))).toHaveLength(1_000_000);
    // NONE and POP in turn.
    expect(() => read("N0".repeat(6_000_001))).toThrow(
      /its first 12000001 bytes may take at most 12000000 steps/,
    );
  });

  it.each([
    ["empty dictionaries", "}", 200_000],
    ["empty sets", "\x8f", 200_000],
    ["tuples around one another", "\x85", 200_000],
    ["marks", "(", 200_000],
  ])("refuses a flood of %s, which would take far more memory than bytes", (_, operation, count) => {
    expect(() => read(`N${operation.repeat(count)}.`)).toThrow(FormatError);
    expect(() => read(`N${operation.repeat(count)}.`)).toThrow(
      /bytes may take at most \d+ steps: they take more/,
    );
  });
});
