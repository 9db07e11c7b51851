import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { encodeMessage } from "./encode-message.ts";
import { readGraph } from "./read-graph.ts";
import { MODEL } from "./schema.ts";

const fixtures = fileURLToPath(new URL("../../test/fixtures", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "isthmus-graph-"));
mkdirSync(join(folder, "model"));
writeFileSync(join(folder, "secret.bin"), new Uint8Array(64));
copyFileSync(join(fixtures, "external.bin"), join(folder, "model", "external.bin"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a model whose only weight is stored where `entries` say, and reads it. */
function readExternal(entries: Readonly<Record<string, string>>, dims: number[] = [2]) {
  const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  const path = join(folder, "model", "graph.onnx");
  const bytes = encodeMessage(MODEL, {
    graph: {
      node: [{ opType: "Relu", input: ["w"], output: ["y"] }],
      initializer: [{ name: "w", dataType: 1, dims, dataLocation: 1, externalData }],
    },
  });
  writeFileSync(path, bytes);
  return readGraph(path);
}

describe("readGraph()", () => {
  it("reads a tensor from a file beside the model", async () => {
    const { graph, weights } = await readGraph(join(fixtures, "external.onnx"));
    expect(weights.get("w")).toEqual({ dtype: "f32", shape: [2, 2], data: Float32Array.of(0, 1, 2, 3) });
    expect(graph.weights.get("w")).toEqual({ dtype: "f32", shape: [2, 2], role: "parameter" });
  });

  it("starts at the beginning and takes what the shape needs where a file does not say", async () => {
    const { weights } = await readExternal({ location: "external.bin" });
    expect(weights.get("w")?.data).toEqual(Float32Array.of(-2, -1));
  });

  it.each(["../secret.bin", "/etc/passwd", "..", ".", "", "x/../../secret.bin"])(
    'refuses to leave the folder by "%s"',
    async (location) => {
      const read = readExternal({ location });
      await expect(read).rejects.toMatchObject({ _tag: "FormatError" });
      await expect(read).rejects.toThrow(/must lie in the model's folder/);
    },
  );

  it("takes a name that only begins with dots for a name", async () => {
    await expect(readExternal({ location: "..data" })).rejects.toThrow(/\.\.data" as it must exist/);
  });

  it.each([
    [
      "short",
      { location: "external.bin", offset: "24" },
      [2],
      /bytes 24 to 32 .* must be within it: it has 28/,
    ],
    ["far too short for 100 GB", { location: "external.bin" }, [25e9], /bytes 0 to 100000000000/],
    ["elsewhere", { location: "external.bin", offset: "1e30" }, [2], /whole numbers of bytes/],
    ["before its beginning", { location: "external.bin", offset: "-8" }, [2], /whole numbers of bytes/],
    ["nowhere", { location: "external.bin", offset: "here" }, [2], /whole numbers of bytes/],
    ["of another length", { location: "external.bin", length: "4" }, [2], /needs 8 bytes: .* states 4/],
  ])("refuses data that are %s", async (_, entries, dims, message) => {
    const read = readExternal(entries, dims);
    await expect(read).rejects.toMatchObject({ _tag: "FormatError" });
    await expect(read).rejects.toThrow(message);
  });

  it("refuses data that are missing or a folder", async () => {
    mkdirSync(join(folder, "model", "inner"));
    for (const location of ["none.bin", "inner"]) {
      const read = readExternal({ location });
      await expect(read).rejects.toMatchObject({ _tag: "InputError" });
      await expect(read).rejects.toThrow(`"${join(folder, "model", location)}"`);
    }
  });

  it("refuses many tensors that share the same bytes, which would take memory without end", async () => {
    const share = (count: number) => {
      const entry = { key: "location", value: "external.bin" };
      const weight = { dataType: 1, dims: [7], dataLocation: 1, externalData: [entry] };
      const path = join(folder, "model", "shared.onnx");
      const initializer = Array.from({ length: count }, (_, i) => ({ ...weight, name: `w${i}` }));
      const node = [{ opType: "Sum", input: initializer.map(({ name }) => name), output: ["y"] }];
      writeFileSync(path, encodeMessage(MODEL, { graph: { node, initializer } }));
      return readGraph(path);
    };
    expect((await share(4)).weights.size).toBe(4);
    await expect(share(5)).rejects.toThrow(/at most 4 tensors may share the bytes of a file/);
  });

  it.runIf(process.platform === "linux")(
    "refuses pipes and devices at once, as graphs and as data",
    async () => {
      const pipe = join(folder, "model", "pipe");
      execFileSync("mkfifo", [pipe]);
      for (const path of [pipe, "/dev/zero"]) {
        await expect(readGraph(path)).rejects.toMatchObject({ _tag: "InputError" });
        await expect(readGraph(path)).rejects.toThrow(
          /must be a regular file: it is a device, pipe or socket/,
        );
      }
      await expect(readExternal({ location: "pipe" })).rejects.toThrow(/must be a regular file/);
    },
  );

  it("says what a file is that was given in the place of a graph", async () => {
    const path = join(folder, "swapped.onnx");
    const header = Buffer.from('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}  ');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    for (const [bytes, message] of [
      ["hello, this is no graph\n", /as it must be an ONNX model: it is text$/],
      ["title: a study\n", /it is text$/],
      [Buffer.concat([length, header]), /it is a safetensors checkpoint; give it as a checkpoint, and name/],
      ["PK\x03\x04 and so on", /it is a zip archive, as torch\.save and NumPy write them; give it as a/],
      [Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c), /it is a pickle, as torch\.save wrote it .*; give it as a/],
      ["<!DOCTYPE html>", /it is a web page, not the file itself; download it again$/],
    ] as const) {
      writeFileSync(path, bytes);
      await expect(readGraph(path)).rejects.toMatchObject({ _tag: "FormatError" });
      await expect(readGraph(path)).rejects.toThrow(message);
    }
  });

  it("names a file that is missing, a folder, or no model", async () => {
    await expect(readGraph(join(folder, "none.onnx"))).rejects.toMatchObject({ _tag: "InputError" });
    await expect(readGraph(folder)).rejects.toMatchObject({ _tag: "InputError" });
    const image = join(folder, "image.onnx");
    writeFileSync(image, readFileSync(join(fixtures, "external.bin")));
    await expect(readGraph(image)).rejects.toMatchObject({ _tag: "FormatError" });
    await expect(readGraph(image)).rejects.toThrow(`Cannot read "${image}" as it must be an ONNX model`);
  });
});
