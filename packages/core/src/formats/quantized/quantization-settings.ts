import { dirname, join, stat } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { readJsonFile } from "../../io/read-file.ts";

/** Values of the `quantization_config` of a model; empty if the files beside the weights have none. */
export type QuantizationSettings = Readonly<Record<string, unknown>>;

/**
 * Reads what the files beside the weights say about their quantisation: `quantization_config` of
 * `config.json`, or `quantize_config.json` of AutoGPTQ.
 * @returns an empty object if neither file is there, or the weights are not a file of this machine
 * @throws FormatError if a file is damaged
 */
export async function readQuantizationSettings({ files }: Checkpoint): Promise<QuantizationSettings> {
  const [file] = files;
  if (file === undefined) return {};
  const folder = dirname(file);
  const config = await readRecord(folder, "config.json");
  const settings = config?.["quantization_config"];
  return isRecord(settings) ? settings : ((await readRecord(folder, "quantize_config.json")) ?? {});
}

async function readRecord(folder: string, name: string): Promise<QuantizationSettings | undefined> {
  const path = join(folder, name);
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  const json = await readJsonFile(path, { within: folder, pythonNumbers: true });
  return isRecord(json) ? json : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
