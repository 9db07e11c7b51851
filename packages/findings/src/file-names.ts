import { at } from "@isthmus/core";
import { basename, dirname } from "@isthmus/platform";

/** Endings of files that say nothing about a network. */
const ENDING = /\.(safetensors|pt|pth|bin|ckpt|npz|gguf|onnx|json)$/;

/**
 * Makes short names of the files of networks, without folder and ending; the folder is kept if several files
 * have the same name. Two names may still be alike.
 */
export function namesOfFiles(sources: readonly string[]): string[] {
  const files = sources.map((source) => basename(source).replace(ENDING, ""));
  return sources.map((source, index) => {
    const file = at(files, index, "name");
    const isShared = files.filter((other) => other === file).length > 1;
    const folder = basename(dirname(source));
    return isShared && folder !== "." && folder !== "" ? `${folder}/${file}` : file;
  });
}

/** Makes short names of the files of networks, no two of which are alike: later ones are numbered. */
export function distinctNamesOfFiles(sources: readonly string[]): string[] {
  const taken = new Set<string>();
  return namesOfFiles(sources).map((name) => {
    let distinct = name;
    for (let number = 2; taken.has(distinct); number++) distinct = `${name} (${number})`;
    taken.add(distinct);
    return distinct;
  });
}
