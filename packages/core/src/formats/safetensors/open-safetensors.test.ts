import { describe, expect, it } from "vitest";
import { describeTensors, EXPECTED, fixture } from "../../../test-fixtures/fixtures.ts";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { createBytesSource } from "../../io/byte-source.ts";
import { openCheckpoint } from "../../open-checkpoint.ts";
import { openSafetensors } from "./open-safetensors.ts";

/** A file with this text as its header, followed by `dataBytes` bytes of 1. */
function file(header: string | object, dataBytes = 0, length?: bigint): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes).fill(1);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function open(bytes: Uint8Array): ReturnType<typeof openSafetensors> {
  return openSafetensors(createBytesSource(bytes, "x.safetensors"));
}

const entry = (shape: unknown, data_offsets: unknown, dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets,
});

describe("openSafetensors()", () => {
  it("reads what the reference implementation wrote", async () => {
    const checkpoint = await openCheckpoint(fixture("types.safetensors"));
    expect(await describeTensors(checkpoint)).toEqual(EXPECTED["types.safetensors"]?.tensors);
    expect(checkpoint.metadata).toEqual({ format: "pt" });
    await checkpoint.close();
  });

  it("orders tensors by their bytes, reads misaligned ones, and takes any name", async () => {
    const header =
      '{"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"__proto__":{"dtype":"U8","shape":[],"data_offsets":[0,1]}} ';
    const checkpoint = await open(file(header, 5));
    expect([...checkpoint.tensors.keys()]).toEqual(["__proto__", "b"]);
    expect((await checkpoint.read("b")).data).toEqual(new Float32Array(new Uint8Array(4).fill(1).buffer));
  });

  it("accepts a file without tensors, and metadata that is null", async () => {
    expect((await open(file("{}"))).tensors.size).toBe(0);
    expect((await open(file('{"__metadata__":null}'))).metadata).toEqual({});
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["has no bytes", new Uint8Array(0), /8-byte length of its header: it has 0 bytes/],
    ["ends within the length", new Uint8Array(7), /it has 7 bytes/],
    [
      "has a header longer than the file",
      file("{}", 0, 99n),
      /the header must fit the file: it claims 99 bytes of 2/,
    ],
    ["has a header of 2^63 bytes", file("{}", 0, 2n ** 63n), /it claims 9223372036854775808 bytes of 2/],
    ["has a header that is not JSON", file("{]"), /must be JSON in UTF-8/],
    [
      "has a header that is not UTF-8",
      Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff),
      /must be JSON in UTF-8/,
    ],
    ["has a header that is a list", file("[]"), /must be a JSON object/],
    [
      "is truncated",
      file({ a: entry([4], [0, 16]) }, 15),
      /"a" must be within the file: it ends at byte \d+ of \d+/,
    ],
    ["goes on after the last tensor", file({ a: entry([1], [0, 4]) }, 5), /must end with its last tensor/],
    [
      "claims 100 GB",
      file({ a: entry([25e9], [0, 1e11]) }, 900),
      /"a" must be within the file: it ends at byte 1000000000\d\d/,
    ],
    [
      "has an element count that overflows",
      file({ a: entry([2 ** 32, 2 ** 32], [0, 0]) }),
      /needs 73786976294838206464 bytes/,
    ],
    [
      "has a shape that does not match its bytes",
      file({ a: entry([3], [0, 16]) }, 16),
      /"a" of f32 \[3\] needs 12 bytes: its offsets 0 to 16 hold 16/,
    ],
    [
      "has tensors that overlap",
      file({ a: entry([2], [0, 8]), b: entry([2], [4, 12]) }, 12),
      /"b" at byte \d+ overlaps the tensor before it/,
    ],
    [
      "has a hole",
      file({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12),
      /"b" at byte \d+ leaves a hole before it/,
    ],
    ["has a hole before the first tensor", file({ a: entry([1], [4, 8]) }, 8), /leaves a hole/],
    ["has offsets that go backwards", file({ a: entry([1], [4, 0]) }, 4), /its offsets 4 to 0/],
    [
      "has a negative offset",
      file({ a: entry([1], [-4, 0]) }, 4),
      /data_offsets \[begin, end\] of whole numbers: they are \[-4,0\]/,
    ],
    ["has one offset only", file({ a: entry([1], [0]) }, 4), /data_offsets/],
    ["has no offsets", file({ a: { dtype: "F32", shape: [1] } }, 4), /they are missing/],
    [
      "has a negative extent",
      file({ a: entry([-1], [0, 4]) }, 4),
      /"a" must have a shape of at most 64 whole numbers/,
    ],
    ["has a fractional extent", file({ a: entry([0.5], [0, 2]) }, 2), /it is \[0.5\]/],
    [
      "has an extent beyond 2^53",
      file('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}', 4),
      /2\^53 - 1/,
    ],
    ["has an extent that is text", file({ a: entry(["1"], [0, 4]) }, 4), /it is \["1"\]/],
    ["has 65 axes", file({ a: entry(new Array(65).fill(1), [0, 4]) }, 4), /at most 64/],
    ["has no shape", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), /it is missing/],
    ["has no dtype", file({ a: entry([1], [0, 4], 7) }, 4), /"a" must have a dtype: it is 7/],
    ["has a tensor that is a number", file({ a: 1 }), /"a" must be described by a JSON object/],
    [
      "has metadata that is a number",
      file('{"__metadata__":{"a":1}}'),
      /__metadata__ must hold strings: "a" is 1/,
    ],
    ["has metadata that is a list", file('{"__metadata__":["a"]}'), /__metadata__ must be a JSON object/],
    [
      "has two tensors of one name",
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        1,
      ),
      /its names must differ: "a" is there twice/,
    ],
    [
      "says something twice of one tensor",
      file('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1),
      /"dtype" is there twice/,
    ],
  ])("refuses a file that %s", async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(FormatError);
    await expect(open(bytes)).rejects.toThrow(message);
    await expect(open(bytes)).rejects.toThrow(/^Cannot read "x\.safetensors" as /);
  });

  it("names an element type it does not handle", async () => {
    const opening = openCheckpoint(fixture("unsupported.safetensors"));
    await expect(opening).rejects.toThrow(UnsupportedError);
    await expect(opening).rejects.toThrow(/the element type of "x" is not handled: it is F8_E8M0/);
  });

  it("refuses a tensor cut short after it was opened", async () => {
    const bytes = file({ a: entry([2], [0, 8]) }, 8);
    const source = createBytesSource(bytes.subarray(0, bytes.length - 4), "x.safetensors");
    const checkpoint = await openSafetensors({ ...source, size: bytes.length });
    await expect(checkpoint.read("a")).rejects.toThrow(FormatError);
  });
});
