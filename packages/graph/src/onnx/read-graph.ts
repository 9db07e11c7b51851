import { closeSync, openSync, readSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { FormatError, InputError } from "@isthmus/core";
import { type DecodedGraph, type DecodeGraphOptions, decodeGraph } from "./decode-graph.ts";
import type { ExternalReader } from "./tensor-proto.ts";

/** Protobuf cannot hold more than 2 GiB in one message, so a longer file is not an ONNX model. */
const MAX_MODEL_BYTES = 2 ** 31;

/**
 * Reads an ONNX file, and tensors stored in files beside it.
 * @throws InputError if there is no such file
 * @throws FormatError, UnsupportedError as {@link decodeGraph}
 */
export async function readGraph(
  path: string,
  options: Omit<DecodeGraphOptions, "source" | "readExternal"> = {},
): Promise<DecodedGraph> {
  const bytes = await readModelFile(path);
  return decodeGraph(bytes, { ...options, source: path, readExternal: externalReaderBeside(path) });
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size >= MAX_MODEL_BYTES) {
      throw new FormatError(
        `Cannot read "${path}" as an ONNX model must be smaller than ${MAX_MODEL_BYTES} bytes: it has ${size}`,
        { format: "onnx" },
      );
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new InputError(`Cannot read graph "${path}": ${(cause as Error).message}`, { input: path, cause });
  }
}

function externalReaderBeside(path: string): ExternalReader {
  const folder = resolve(dirname(path));
  return (location, offset, length) => {
    const file = resolve(folder, location);
    if (!file.startsWith(folder + sep)) {
      throw new FormatError(
        `Cannot read external data of "${path}" as it must lie in the model's folder: it points to "${location}"`,
        { format: "onnx" },
      );
    }
    return readExactly(file, offset, length);
  };
}

function readExactly(file: string, offset: number, length: number): Uint8Array {
  const descriptor = openSync(file, "r");
  try {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(descriptor, bytes, done, length - done, offset + done);
      if (count === 0) {
        throw new FormatError(
          `Cannot read external data "${file}" as bytes ${offset} to ${offset + length} must be within it: it ends at ${offset + done}`,
          { format: "onnx" },
        );
      }
      done += count;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}
