import { isReadAsNumbers, readJsonFile, resolveModelPath } from "@isthmus/core";
import { dirname, join, stat } from "@isthmus/platform";

/** Facts about a model from the files beside its weights. */
export interface ModelFacts {
  /** `model_type` of the model's config; null if the config names none. */
  readonly modelType: string | null;
  /** Whether the config says that embedding and head are one matrix; null if it does not say. */
  readonly tied: boolean | null;
  /**
   * Method by which the weights are packed, such as `hqq`; null if the config names none, or weights of that
   * method are read as the numbers that they stand for, as with `gptq`.
   */
  readonly quantization: string | null;
  /** Whether the tokenizer has a chat template, like models that follow instructions. */
  readonly chat: boolean;
  /** Whether the model is an adapter, such as LoRA. */
  readonly adapter: boolean;
}

/**
 * Reads the facts in the JSON files of a model's folder; null if the path is no folder, or has no config of a
 * model or adapter.
 * @param model - path of the folder, or name of the model on the Hugging Face hub; an adapter behind it,
 *   `model+adapter`, has no facts of its own
 * @throws FormatError if a file is damaged
 */
export async function readModelFacts(model: string): Promise<ModelFacts | null> {
  const path = await resolveModelPath(model);
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
    quantization:
      quantization === undefined || isReadAsNumbers(quantization)
        ? null
        : typeof scheme === "string"
          ? scheme
          : "unnamed",
    chat: hasTemplate || tokenizer?.["chat_template"] !== undefined,
    adapter: adapter !== undefined,
  };
}

async function readObject(path: string): Promise<Record<string, unknown> | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  const json = await readJsonFile(path, { within: dirname(path), pythonNumbers: true });
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
}
