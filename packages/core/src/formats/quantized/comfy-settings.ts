import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { UnsupportedError } from "../../errors.ts";
import { parseJson } from "../../json/parse-json.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { formatShape } from "../../tensor/shape.ts";

/** Key of the metadata in which ComfyUI says how layers are quantised, if no tensor beside them does. */
const SETTINGS = "_quantization_metadata";

/** Name of the tensor without numbers by which ComfyUI knows that a checkpoint has scales. */
const MARK = /(?:^|\.)scaled_fp8$/;

/** Ends of the names of scales of activations and of settings, which stand beside weights of ComfyUI. */
const BESIDE = ["scale_input", "input_scale", "comfy_quant"] as const;

/** Returns the names of tensors that may stand beside a quantised weight of ComfyUI and its scales. */
export function listBeside(weight: string): readonly string[] {
  return BESIDE.map((end) => weight.replace(/weight$/, end));
}

/** Lists the tensors that mark a checkpoint as one with scales. */
export function listMarks({ tensors }: Checkpoint): readonly string[] {
  return [...tensors.keys()].filter((name) => MARK.test(name));
}

/** Returns metadata without ComfyUI's settings of quantisation, which do not hold for numbers. */
export function withoutSettings(
  metadata: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { [SETTINGS]: _settings, ...others } = metadata;
  return others;
}

/**
 * Checks that all weights which ComfyUI quantised are 8-bit floats with scales.
 * @param scaled - names of such weights
 * @throws UnsupportedError if another one is there, by tensors or metadata
 * @throws FormatError if the metadata are no JSON
 */
export function assertScaledFloats(
  { tensors, metadata, source }: Checkpoint,
  scaled: { readonly has: (name: string) => boolean },
): void {
  const marked = [...tensors.keys()].filter((name) => /(?:^|\.)comfy_quant$/.test(name));
  // Metadata may be older than the tensors: only elements that are no floats need them.
  const described = layersIn(metadata[SETTINGS], source).filter((name) => {
    const info = tensors.get(name);
    return info !== undefined && !DTYPES[info.dtype].float;
  });
  for (const weight of [...marked.map((name) => name.replace(/comfy_quant$/, "weight")), ...described]) {
    if (scaled.has(weight)) continue;
    const info = tensors.get(weight);
    throw new UnsupportedError(
      `Cannot read "${weight}" of "${source}" as weights that ComfyUI quantised must be 8-bit floats with scales: it is ${info === undefined ? "missing" : `${info.dtype} ${formatShape(info.shape)}`}`,
      { feature: "quantisation of ComfyUI" },
    );
  }
}

/** Lists the weights of the layers that metadata call quantised. */
function layersIn(text: string | undefined, source: string): readonly string[] {
  if (text === undefined) return [];
  const json = parseJson(text, { attempt: `read "${SETTINGS}" of "${source}"` });
  const layers = isRecord(json) ? json["layers"] : undefined;
  return isRecord(layers) ? Object.keys(layers).map((layer) => `${layer}.weight`) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
