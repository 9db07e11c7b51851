import { closeSync, openSync, readSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { FormatError, InputError } from "@isthmus/core";
import { type DecodedGraph, type DecodeGraphOptions, decodeGraph } from "./decode-graph.ts";
import type { ExternalReader } from "./tensor-proto.ts";

/** Protobuf cannot hold more than 2 GiB in one message, so a longer file is not an ONNX model. */
const MAX_MODEL_BYTES = 2 ** 31;

/** Names that exporters give every graph, which tell nobody which it is. */
const NAMELESS: ReadonlySet<string> = new Set([
  "",
  "main_graph",
  "main",
  "graph",
  "torch_jit",
  "torch-jit-export",
]);

/**
 * Reads an ONNX file, and tensors stored in files beside it. A graph that has no name of its own is named after its file.
 * @throws InputError if there is no such file, or none of those it points to
 * @throws FormatError, UnsupportedError as {@link decodeGraph}
 */
export async function readGraph(
  path: string,
  options: Omit<DecodeGraphOptions, "source" | "readExternal"> = {},
): Promise<DecodedGraph> {
  const bytes = await readModelFile(path);
  const decoded = decodeGraph(bytes, { ...options, source: path, readExternal: externalReaderBeside(path) });
  const { graph } = decoded;
  return NAMELESS.has(graph.name) ? { ...decoded, graph: { ...graph, name: basename(path) } } : decoded;
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
    throw new InputError(
      `Cannot read graph "${path}" as it must be an ONNX file that can be read: ${describeFailure(cause)}`,
      { input: path, cause },
    );
  }
}

/** Why a file could not be read, without the words of the operating system for what is common. */
function describeFailure(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES" || code === "EPERM") return "permission is denied";
  return message;
}

function externalReaderBeside(path: string): ExternalReader {
  const folder = resolve(dirname(path));
  return (location, offset, length) => {
    const file = resolve(folder, location);
    const inside = relative(folder, file);
    if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new FormatError(
        `Cannot read external data of "${path}" as it must lie in the model's folder: it points to "${location}"`,
        { format: "onnx" },
      );
    }
    return readExactly(file, offset, length);
  };
}

function readExactly(file: string, offset: number, length: number): Uint8Array {
  // The size is compared first, so that a small model cannot ask for more memory than its files are long.
  const size = sizeOfFile(file);
  if (offset + length > size) throw outOfRange(file, { offset, length, size });
  const bytes = new Uint8Array(length);
  const descriptor = openSync(file, "r");
  try {
    let done = 0;
    while (done < length) {
      const count = readSync(descriptor, bytes, done, length - done, offset + done);
      if (count === 0) throw outOfRange(file, { offset, length, size: offset + done });
      done += count;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function sizeOfFile(file: string): number {
  try {
    const stats = statSync(file);
    if (stats.isFile()) return stats.size;
  } catch (cause) {
    throw new InputError(`Cannot read external data "${file}": ${(cause as Error).message}`, {
      input: file,
      cause,
    });
  }
  throw new InputError(`Cannot read external data "${file}" as it must be a file: it is not`, {
    input: file,
  });
}

function outOfRange(
  file: string,
  { offset, length, size }: { readonly offset: number; readonly length: number; readonly size: number },
): FormatError {
  return new FormatError(
    `Cannot read external data "${file}" as bytes ${offset} to ${offset + length} must be within it: it has ${size}`,
    { format: "onnx" },
  );
}
