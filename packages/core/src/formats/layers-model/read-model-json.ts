import { FormatError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_INDEX_BYTES } from "../../io/limits.ts";

/** What `model.json` of a LayersModel holds; nothing of it is checked yet. */
export interface ModelJson {
  readonly modelTopology: unknown;
  readonly weightsManifest: unknown;
}

/**
 * Reads `model.json`, as TensorFlow.js and its converter write it.
 * @returns undefined if the file is JSON of another kind, or none
 * @throws FormatError if it is the model of another format of TensorFlow.js, or too long
 */
export async function readModelJson(source: ByteSource): Promise<ModelJson | undefined> {
  if (source.size > MAX_INDEX_BYTES) return undefined;
  const value = parse(await source.read(0, source.size));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { modelTopology, weightsManifest, format } = value as Record<string, unknown>;
  if (modelTopology === undefined && weightsManifest === undefined) return undefined;
  if (format === "graph-model") {
    throw new FormatError(
      `Cannot read "${source.name}" as it must be a LayersModel: it is a GraphModel; export the model as ONNX and safetensors`,
      { format: "layers-model" },
    );
  }
  return { modelTopology, weightsManifest };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
