import { fileURLToPath } from "node:url";
import { createTensor, FormatError, InputError, isDType, toFloat64, UnsupportedError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { encodeNpy, npyHeader } from "../test/encode-npy.ts";
import { encodeZip } from "../test/encode-zip.ts";
import { temporaryFolder } from "../test/temporary-folder.ts";
import { openNpz, readNpz } from "./read-npz.ts";

const folder = temporaryFolder();
const fixture = (name: string) => fileURLToPath(new URL(`../test/fixtures/${name}`, import.meta.url));
const x = encodeNpy(npyHeader("|u1", [3]), Uint8Array.of(1, 2, 3));

describe("readNpz()", () => {
  it("readNpz() reads what NumPy compressed", async () => {
    const arrays = await readNpz(fixture("images.npz"));
    expect([...arrays.keys()]).toEqual(["x_test", "y_test", "x_train", "y_train"]);
    const images = Uint8Array.from({ length: 12 }, (_, i) => i);
    expect(arrays.get("x_test")).toEqual(createTensor("u8", [3, 2, 2], images));
    expect(arrays.get("y_test")).toEqual(createTensor("i64", [3], BigInt64Array.of(0n, 2n, 1n)));
  });

  it("readNpz() reads every element type in both byte orders and both element orders", async () => {
    const arrays = await readNpz(fixture("types.npz"));
    expect(arrays.size).toBe(50);
    for (const [name, { dtype, shape, data }] of arrays) {
      if (name === "scalar") {
        expect({ shape, data }).toEqual({ shape: [], data: Float32Array.of(1.5) });
      } else if (name === "empty") {
        expect({ shape, data }).toEqual({ shape: [0, 3], data: new Float32Array(0) });
      } else {
        expect(isDType(dtype)).toBe(true);
        expect(shape).toEqual([1, 2, 3]);
        const values = name.startsWith("bool") ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 5];
        expect([name, ...toFloat64(data, dtype)]).toEqual([name, ...values]);
      }
    }
  });

  it("readNpz() never loads Python objects", async () => {
    await expect(readNpz(fixture("objects.npz"))).rejects.toThrow(UnsupportedError);
    await expect(readNpz(fixture("objects.npz"))).rejects.toThrow(/pickled Python objects and never loaded$/);
  });

  it("readNpz() refuses a zip bomb", async () => {
    const zeros = new Uint8Array(1_000_000);
    const claimsMore = encodeZip([{ name: "x.npy", bytes: zeros, claimedBytes: 2 ** 32 - 2 }]);
    await expect(readNpz(folder.write("more.npz", claimsMore))).rejects.toThrow(/claims 4294967294 bytes/);
    const claimsLess = encodeZip([{ name: "x.npy", bytes: zeros, claimedBytes: 100 }]);
    await expect(readNpz(folder.write("less.npz", claimsLess))).rejects.toThrow(FormatError);
  });

  it("readNpz() refuses bytes without their checksum and two arrays of one name", async () => {
    const damaged = encodeZip([{ name: "x.npy", bytes: x, claimedCrc32: 1 }]);
    await expect(readNpz(folder.write("damaged.npz", damaged))).rejects.toThrow(/checksum/);
    const twice = encodeZip([
      { name: "x.npy", bytes: x },
      { name: "x.npy", bytes: x },
    ]);
    await expect(readNpz(folder.write("twice.npz", twice))).rejects.toThrow(
      /two files of one name: "x\.npy" is there twice$/,
    );
  });

  it("readNpz() refuses two arrays in the same bytes", async () => {
    const bytes = Buffer.from(
      encodeZip([
        { name: "x.npy", bytes: x },
        { name: "y.npy", bytes: x },
      ]),
    );
    const first = bytes.indexOf("PK\x01\x02");
    const second = bytes.indexOf("PK\x01\x02", first + 1);
    bytes.copy(bytes, second + 42, first + 42, first + 46);
    await expect(readNpz(folder.write("overlap.npz", bytes))).rejects.toThrow(
      /must not store two files in the same bytes: "x\.npy" and "y\.npy" are$/,
    );
  });

  it("readNpz() refuses every truncation", async () => {
    const whole = encodeZip([{ name: "x.npy", bytes: x }]);
    for (let length = 0; length < whole.length; length += 5) {
      const file = folder.write("truncated.npz", whole.subarray(0, length));
      await expect(readNpz(file)).rejects.toThrow(FormatError);
    }
  });

  it("readNpz() refuses a file that is missing", async () => {
    await expect(readNpz(`${folder.path}/none.npz`)).rejects.toThrow(InputError);
  });
});

describe("openNpz()", () => {
  it("openNpz() reads only what is asked for", async () => {
    const npz = await openNpz(fixture("objects.npz"));
    expect(npz.names).toEqual(["x", "y", "z"]);
    expect(await npz.read("y")).toEqual(createTensor("i64", [1], BigInt64Array.of(0n)));
    await expect(npz.read("z")).rejects.toThrow(/they are '<c16'$/);
    await expect(npz.read("w")).rejects.toThrow(/must be there: there are x, y, z$/);
  });

  it("openNpz() skips what is not an array", async () => {
    const file = folder.write(
      "notes.npz",
      encodeZip([
        { name: "notes.txt", bytes: x },
        { name: "x.npy", bytes: x },
      ]),
    );
    expect((await openNpz(file)).names).toEqual(["x"]);
  });
});
