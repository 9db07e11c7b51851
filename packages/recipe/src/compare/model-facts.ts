import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readJsonFile } from "@isthmus/core";

/** What the files beside a model's weights say about it. */
export interface ModelFacts {
  /** `model_type` of its config. */
  readonly modelType: string | null;
  /** Whether embedding and head are said to be one matrix. */
  readonly tied: boolean | null;
  /** Method by which its weights are quantised. */
  readonly quantization: string | null;
  /** Whether its tokenizer has a template of chats, as models for instructions do. */
  readonly chat: boolean;
  /** Whether it is a low-rank adapter. */
  readonly adapter: boolean;
}

/**
 * Reads what the JSON files in a model's folder say; returns null if there is no folder, or it has none.
 * @throws FormatError if a file is damaged
 */
export async function readModelFacts(path: string): Promise<ModelFacts | null> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isDirectory()) return null;
  const config = await readObject(join(path, "config.json"));
  const adapter = await readObject(join(path, "adapter_config.json"));
  const tokenizer = await readObject(join(path, "tokenizer_config.json"));
  if (config === undefined && adapter === undefined) return null;
  const {
    model_type: modelType,
    tie_word_embeddings: tied,
    quantization_config: quantization,
  } = config ?? {};
  const scheme = (quantization as { quant_method?: unknown } | undefined)?.quant_method;
  const hasTemplate = await stat(join(path, "chat_template.jinja")).then(
    () => true,
    () => false,
  );
  return {
    modelType: typeof modelType === "string" ? modelType : null,
    tied: typeof tied === "boolean" ? tied : null,
    quantization: quantization === undefined ? null : typeof scheme === "string" ? scheme : "unnamed",
    chat: hasTemplate || tokenizer?.["chat_template"] !== undefined,
    adapter: adapter !== undefined,
  };
}

async function readObject(path: string): Promise<Record<string, unknown> | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  const json = await readJsonFile(path, { within: dirname(path) });
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
}
