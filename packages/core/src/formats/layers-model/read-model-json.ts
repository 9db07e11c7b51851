import { FormatError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { type JsonDocument, readJsonDocument } from "../read-json-document.ts";

/** Fields of the `model.json` of a LayersModel, unchecked. */
export interface ModelJson {
  /** Architecture of the model; null or undefined if the file has weights alone. */
  readonly modelTopology: unknown;
  /** Groups of weights, with the paths of their files. */
  readonly weightsManifest: unknown;
}

/**
 * Reads `model.json`, as TensorFlow.js and its converter write it.
 * @returns undefined if the file is JSON of another kind
 * @throws FormatError if the file is not JSON, is too long, or is a GraphModel of TensorFlow.js
 */
export async function readModelJson(source: ByteSource): Promise<ModelJson | undefined> {
  return modelJsonOf(await readJsonDocument(source));
}

/** Finds the model in a document that was already read; see {@link readModelJson}. */
export function modelJsonOf({ source, value }: JsonDocument): ModelJson | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { modelTopology, weightsManifest, format } = value as Record<string, unknown>;
  if (modelTopology === undefined && weightsManifest === undefined) return undefined;
  if (format === "graph-model") {
    throw new FormatError(
      `Cannot read "${source}" as it must be a LayersModel: it is a GraphModel; export the model as ONNX and safetensors`,
      { format: "layers-model" },
    );
  }
  return { modelTopology, weightsManifest };
}
