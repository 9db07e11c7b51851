/** Names as on the Hugging Face hub, an owner and a model: `meta-llama/Llama-2-7b`. */
const HUB_NAME = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** Endings of files, which no such name has. */
const FILE_NAME = /\.(safetensors|json|onnx|pt|pth|bin|ckpt|npz|npy|gz|txt|ya?ml|csv|html|svg)$/i;

/**
 * Returns an addition to the message that a path does not exist, if it looks like the name of a model on the
 * Hugging Face hub, which is never downloaded here; otherwise an empty string.
 */
export function hubHint(path: string): string {
  if (!HUB_NAME.test(path) || FILE_NAME.test(path)) return "";
  const [, model] = path.split("/");
  return `; a model of the Hugging Face hub must be downloaded first: hf download ${path} --local-dir ${model}`;
}
