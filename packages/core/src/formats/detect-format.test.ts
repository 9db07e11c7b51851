import { describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { createBytesSource } from "../io/byte-source.ts";
import { detectFormat, recognizeFile } from "./detect-format.ts";
import { LEGACY_MAGIC } from "./torch/open-torch-legacy.ts";

type Bytes = string | readonly number[];
const bytesOf = (bytes: Bytes): Uint8Array =>
  typeof bytes === "string" ? Uint8Array.from(Buffer.from(bytes, "utf8")) : Uint8Array.from(bytes);
const detect = (bytes: Bytes, name = "file") => detectFormat(createBytesSource(bytesOf(bytes), name));

/** The length of a header of safetensors, whose lowest byte is given, and the beginning of the header. */
const header = (low: number): readonly number[] => [low, 1, 0, 0, 0, 0, 0, 0, ...bytesOf('{"a":{')];

describe("detectFormat()", () => {
  it.each<readonly [string, Bytes]>([
    ["zip", "PK\x03\x04 and more"],
    ["zip", "PK\x05\x06 and more"],
    ["gguf", "GGUF and more"],
    ["torch-legacy", [0x80, 2, ...LEGACY_MAGIC, 0]],
    ["safetensors", header(8)],
    // The length of a header may begin as an object does.
    ["safetensors", header(0x7b)],
    ["index", '{"a": 1}'],
    ["index", ' \n{"a": 1}'],
    ["index", "{}"],
    // The ninth byte is the brace that begins the header of safetensors.
    ["index", '{"a":   {"b":1}}'],
    ["index", '{  "a": {"b":1}}'],
    ["index", '  {"a": {"b":1}}'],
    ["onnx", [0x08, 0x07, 0x12, 0]],
    ["safetensors", [1, 2, 3, 4, 5, 6, 7]],
  ])("tells %s from the first bytes of %j", async (format, bytes) => {
    expect(await detect(bytes)).toBe(format);
  });

  it("leaves it to safetensors to explain a damaged file of that name", async () => {
    expect(await detect([1, 2, 3, 4, 5, 6, 7, 8], "x.safetensors")).toBe("safetensors");
  });

  it.each<readonly [Bytes, string]>([
    ["", "it is empty"],
    ["<!DOCTYPE html>", "it is a web page, not the file itself; download it again"],
    ["some {text}", "it is text"],
    [
      [0x80, 2, ...LEGACY_MAGIC.subarray(0, 4), 0, 0, 0],
      "it is a pickle, as torch.save wrote it before PyTorch 1.6",
    ],
    [[0x81, 2, ...LEGACY_MAGIC], "it begins with bytes 81 02 8a 0a 6c fc 9c 46"],
    [[1, 2, 3, 4, 5, 6, 7, 255], "it begins with bytes 01 02 03 04 05 06 07 ff"],
    [[1, 2, 3, 4, 5, 6, 7, 255, 9], "it begins with bytes 01 02 03 04 05 06 07 ff"],
  ])("refuses the bytes %j", async (bytes, problem) => {
    const error = await detect(bytes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ input: "file" });
    expect((error as Error).message).toBe(
      `Cannot open "file" as a checkpoint must be safetensors (a file, an index or a folder), a file of torch.save, .npz, GGUF, ONNX, Flax, Keras, or a model.json: ${problem}`,
    );
  });
});

describe("recognizeFile()", () => {
  it.each<readonly [string | undefined, Bytes]>([
    ["empty", []],
    ["a safetensors checkpoint", header(8)],
    [undefined, [8, 1, 0, 0, 0, 1, 0, 0, ...bytesOf("{")]],
    [undefined, [8, 1, 0, 0, 0, 0, 0, 0, ...bytesOf("[")]],
    ["a pickle, as torch.save wrote it before PyTorch 1.6", [0x80, 2, 0x8a]],
    ["a pickle, as torch.save wrote it before PyTorch 1.6", [0x80, 5, 0x8a]],
    [undefined, [0x80, 1, 0x8a]],
    [undefined, [0x80, 6, 0x8a]],
    [undefined, [0x80, 2, 0x7d]],
    [undefined, [0x81, 2, 0x8a]],
    [undefined, [0x80]],
    ["an ONNX graph", [0x08, 0x01, 0x12]],
    ["an ONNX graph", [0x08, 0x3f, 0x72]],
    [undefined, [0x08, 0x00, 0x12]],
    [undefined, [0x08, 0x40, 0x12]],
    [undefined, [0x08, 0x07, 0x13]],
    [undefined, [0x09, 0x07, 0x12, 0xff]],
    [undefined, [0x08, 0x07]],
    ["text", "words\tand\nlines"],
    [undefined, "words\x00"],
    [undefined, "words\x7f"],
    [undefined, [0x61, 0xff]],
    // The first 64 bytes count, though they end within a character.
    ["text", `${"a".repeat(63)}é\x00`],
  ])("says %s of %j", (kind, bytes) => {
    expect(recognizeFile(bytesOf(bytes))).toBe(kind);
  });
});
