import { InputError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDataSetName } from "./parse-data-set-name.ts";

describe("parseDataSetName()", () => {
  it.each([
    ["mnist", { kind: "mnist", paths: [], split: "test", limit: 0 }],
    ["mnist@100", { kind: "mnist", paths: [], split: "test", limit: 100 }],
    ["mnist:train@5", { kind: "mnist", paths: [], split: "train", limit: 5 }],
    ["fashion-mnist:/data:test", { kind: "fashion-mnist", paths: ["/data"], split: "test", limit: 0 }],
    ["fashion-mnist:test", { kind: "fashion-mnist", paths: [], split: "test", limit: 0 }],
    ["idx:a.gz,b.gz@7", { kind: "idx", paths: ["a.gz", "b.gz"], split: "test", limit: 7 }],
    ["npz:/a/b.npz:train@100", { kind: "npz", paths: ["/a/b.npz"], split: "train", limit: 100 }],
    ["npz:C:\\a:b.npz", { kind: "npz", paths: ["C:\\a:b.npz"], split: "test", limit: 0 }],
    [
      "safetensors:a@2.safetensors",
      { kind: "safetensors", paths: ["a@2.safetensors"], split: "test", limit: 0 },
    ],
    ["npz:a:train:test", { kind: "npz", paths: ["a:train"], split: "test", limit: 0 }],
    ["mnist:train@11..15", { kind: "mnist", paths: [], split: "train", limit: 15, skip: 10 }],
    ["mnist@1..15", { kind: "mnist", paths: [], split: "test", limit: 15 }],
    ["npz:a@3:test", { kind: "npz", paths: ["a@3"], split: "test", limit: 0 }],
    ["images:a,b:val@3", { kind: "images", paths: ["a,b"], split: "val", limit: 3 }],
    [
      "images:a,b,64x32,grey",
      {
        kind: "images",
        paths: ["a,b"],
        settings: { size: "64x32", colours: "grey" },
        split: "test",
        limit: 0,
      },
    ],
    [
      "parquet:d,image=img,label=y:train",
      { kind: "parquet", paths: ["d"], settings: { image: "img", label: "y" }, split: "train", limit: 0 },
    ],
    ["tokens:a,u32", { kind: "tokens", paths: ["a"], settings: { width: "u32" }, split: "test", limit: 0 }],
    [
      "text:a,b.txt,context=512:train@2",
      { kind: "text", paths: ["a,b.txt"], settings: { context: "512" }, split: "train", limit: 2 },
    ],
    [
      "cifar100:a,fine,coarse",
      { kind: "cifar100", paths: ["a,fine"], settings: { labels: "coarse" }, split: "test", limit: 0 },
    ],
  ])("parseDataSetName() understands %s", (name, expected) => {
    const { kind, ...parts } = parseDataSetName(name);
    expect({ ...parts, kind: kind.name }).toEqual({ name, settings: {}, ...expected });
  });

  it.each([
    ["shapes.npz", "npz:shapes.npz"],
    ["data/Shapes.NPZ:train@9", "npz:data/Shapes.NPZ:train@9"],
    ["iris.csv,label=species", "csv:iris.csv,label=species"],
    ["images-idx3-ubyte.gz,labels-idx1-ubyte.gz", "idx:images-idx3-ubyte.gz,labels-idx1-ubyte.gz"],
    ["mnits", "mnist"],
  ])("parseDataSetName() names the kind that the file %s is of by its ending", (name, meant) => {
    expect(() => parseDataSetName(name)).toThrow(`(did you mean "${meant}"?)`);
  });

  it("parseDataSetName() keeps any path when the split is written out", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom("test", "train"), (file, split) => {
        expect(parseDataSetName(`npz:${file}:${split}`)).toMatchObject({ paths: [file], split });
        expect(parseDataSetName(`npz:${file}:${split}@12`)).toMatchObject({
          paths: [file],
          split,
          limit: 12,
        });
      }),
    );
  });

  it.each([
    ["", /there is no kind ""/],
    ["speech", /there is no kind "speech"; a name is/],
    ["cifra10:dir", /there is no kind "cifra10" \(did you mean "cifar10"\?\); a name is/],
    ["MNIST", /there is no kind "MNIST" \(did you mean "mnist"\?\)/],
    ["mnist:val", /"mnist" has the splits test and train: it asks for "val"/],
    ["images:,64x64", /"images:" must be followed by a folder/],
    ["mnist:", /must be followed by a folder/],
    ["mnist@0", /at least 1: it is "@0"/],
    ["mnist@99999999999999999999", /it is "@99999999999999999999"/],
    ["mnist@0..5", /from one number, at least 1, to a larger one: it is "@0..5"/],
    ["mnist@6..5", /it is "@6..5"/],
    ["npz", /must be followed by a file/],
    ["npz:", /must be followed by a file/],
    ["safetensors::test", /must be followed by a file/],
    ["idx:a", /two files with one comma/],
    ["idx:a,", /two files with one comma/],
    ["idx:a,b,c", /two files with one comma/],
    ["idx", /two files with one comma/],
  ])("parseDataSetName() refuses %j and lists every form", (name, message) => {
    expect(() => parseDataSetName(name)).toThrow(InputError);
    expect(() => parseDataSetName(name)).toThrow(message);
    expect(() => parseDataSetName(name)).toThrow(/a name is mnist, .*idx:IMAGES,LABELS.*@N/);
  });
});
