import { basename, extname } from "@isthmus/platform";

/** Endings of the files beside weights that a network needs to be loaded: settings, tokenizers, code. */
const ENDINGS = new Set([".json", ".txt", ".model", ".jinja", ".py", ".tiktoken"]);
/** Files that belong to the weights or to the training of a network, and not to networks made from it. */
const LEFT_OUT =
  /(\.index\.json|_results\.json|^trainer_state\.json|^adapter_config\.json|^all_results\.json|^requirements\.txt)$/;
const LICENCE = /^(licen[cs]e|notice|use_policy|copying)/i;
/** Folders with copies of the network for other programs, and with records of its training. */
const OTHER_FOLDERS = /^(onnx|openvino|coreml|checkpoint-\d+|runs|logs|original)$/;

/**
 * Checks by its name whether a file in the folder of a model belongs to the model beside its weights: a
 * config, a tokenizer, a chat template, code or a licence.
 */
export function isModelFile(path: string): boolean {
  const name = basename(path);
  return LICENCE.test(name) || (ENDINGS.has(extname(name)) && !LEFT_OUT.test(name));
}

/**
 * Checks by its name whether a folder in the folder of a model belongs to the model: not one with copies for
 * other programs or with records of training.
 */
export function isModelFolder(name: string): boolean {
  return !OTHER_FOLDERS.test(name);
}
