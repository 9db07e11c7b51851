import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { EXPECTED, fixture, reopen } from "../test-fixtures/fixtures.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { createCheckpoint } from "./checkpoint/create-checkpoint.ts";
import { InputError } from "./errors.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { saveCheckpoint } from "./save-checkpoint.ts";
import type { Tensor } from "./tensor/tensor.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** A tensor of a few kilobytes. */
function ramp(length: number): Tensor {
  return { dtype: "f32", shape: [length], data: Float32Array.from({ length }, (_, i) => i) };
}

describe("openCheckpoint()", () => {
  it("finds the format from the content, whatever the name", async () => {
    for (const name of ["types.safetensors", "types-legacy.pt", "types-protocol2.pt"]) {
      const path = join(folder, "weights.bin");
      await writeFile(path, await readFile(fixture(name)));
      expect(await reopen(path)).toEqual(EXPECTED[name]?.tensors);
    }
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ["an empty file", "", /it is empty/],
    ["text", "hello, world", /it is text$/],
    [
      "an ONNX graph",
      Uint8Array.of(8, 8, 18, 4, 112, 121, 116, 111),
      /it is an ONNX graph; give it as the graph \(--/,
    ],
    ["something else", Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), /begins with bytes 01 02 03 04 05 06 07 08/],
    ["a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:0", /git lfs pull/],
    ["a web page", "<!DOCTYPE html><html></html>", /a web page/],
    ["something compressed", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0), /gzip/],
  ])("refuses %s, whatever its name", async (what, content, message) => {
    for (const name of ["x.bin", "x.safetensors"]) {
      // Of what is named so and is nothing that is known, the reader says how it is damaged.
      if (name === "x.safetensors" && what === "something else") continue;
      const path = join(folder, name);
      await writeFile(path, content);
      await expect(openCheckpoint(path)).rejects.toThrow(InputError);
      await expect(openCheckpoint(path)).rejects.toThrow(message);
    }
  });

  it("refuses what is not there, not a file, or holds nothing", async () => {
    await expect(openCheckpoint(join(folder, "missing"))).rejects.toThrow(
      /Cannot open ".*missing" as it must exist/,
    );
    await expect(openCheckpoint(folder)).rejects.toThrow(/must hold safetensors files: it has none/);
    await expect(openCheckpoint("meta-llama/Llama-2-7b")).rejects.toThrow(
      /there is no such file or folder; a model of the Hugging Face hub must be downloaded first, by isthmus with --download, or by: hf download meta-l/,
    );
    await expect(openCheckpoint("runs/a.safetensors")).rejects.toThrow(/there is no such file or folder$/);
    await expect(openCheckpoint("/dev/null")).rejects.toThrow(/must be a regular file/);
  });

  it("opens a folder of shards without an index", async () => {
    await saveCheckpoint(createCheckpoint({ a: ramp(1) }), join(folder, "one.safetensors"));
    await saveCheckpoint(createCheckpoint({ b: ramp(2) }), join(folder, "two.safetensors"));
    expect(Object.keys(await reopen(folder))).toEqual(["a", "b"]);
    await saveCheckpoint(createCheckpoint({ a: ramp(3) }), join(folder, "three.safetensors"));
    await expect(openCheckpoint(folder)).rejects.toThrow(/"a" is in two/);
  });

  it("opens an index of files of torch.save", async () => {
    for (const name of ["lone.pt", "nested.pt"])
      await writeFile(join(folder, name), await readFile(fixture(name)));
    const weight_map = { tensor: "lone.pt", "heads.0": "nested.pt" };
    const index = join(folder, "pytorch_model.bin.index.json");
    await writeFile(index, JSON.stringify({ weight_map }));
    expect(Object.keys(await reopen(index))).toEqual(["tensor", "heads.0"]);
  });

  it.each<[string, unknown, RegExp]>([
    ["is not JSON", "{", /must be JSON/],
    ["has no map", {}, /must have a weight_map/],
    ["names nothing", { weight_map: {} }, /names 1 to/],
    ["goes elsewhere", { weight_map: { a: "../x" } }, /must be files beside the index: "a" is in "\.\.\/x"/],
    ["goes up", { weight_map: { a: ".." } }, /beside the index/],
    ["names no file", { weight_map: { a: 1 } }, /"a" is in 1/],
    ["names a tensor twice", '{"weight_map":{"a":"x","a":"y"}}', /"a" is there twice/],
    ["names itself", { weight_map: { a: "x.index.json" } }, /is an index itself/],
    [
      "names a tensor that is not in its shard",
      { weight_map: { zzz: "one.safetensors" } },
      /"zzz" is not there/,
    ],
    ["names a missing shard", { weight_map: { a: "gone.safetensors" } }, /must exist/],
  ])("refuses an index that %s", async (_, content, message) => {
    await saveCheckpoint(createCheckpoint({ a: ramp(1) }), join(folder, "one.safetensors"));
    const path = join(folder, "x.index.json");
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    const opening: Promise<Checkpoint> = openCheckpoint(path);
    await expect(opening).rejects.toThrow(message);
  });

  it("refuses a folder with two indexes, and a file that changes while it is read", async () => {
    await writeFile(join(folder, "a.safetensors.index.json"), "{}");
    await writeFile(join(folder, "b.safetensors.index.json"), "{}");
    await expect(openCheckpoint(folder)).rejects.toThrow(/must have one index/);
    const path = join(folder, "x.safetensors");
    await saveCheckpoint(createCheckpoint({ a: ramp(100_000) }), path);
    const opened = await openCheckpoint(path);
    await writeFile(path, "");
    await expect(opened.read("a")).rejects.toThrow(/cut short since/);
    await expect(opened.readRange("a", 0, 5)).rejects.toThrow(/cut short since/);
    await opened.close();
  });
});
