/**
 * Names such as `meta-llama/Llama-2-7b`, as the Hugging Face hub has them: an owner and a model, which is no
 * file by its ending.
 */
const HUB_NAME = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

const FILE_NAME = /\.(safetensors|json|onnx|pt|pth|bin|ckpt|npz|npy|gz|txt|ya?ml|csv|html|svg)$/i;

/**
 * Gives what to add to a message that a path does not exist, where it may be meant as the name of a model on the
 * Hugging Face hub, which is never downloaded here; else nothing.
 */
export function hubHint(path: string): string {
  if (!HUB_NAME.test(path) || FILE_NAME.test(path)) return "";
  const [, model] = path.split("/");
  return `; a model of the Hugging Face hub must be downloaded first: hf download ${path} --local-dir ${model}`;
}
