import { at } from "@isthmus/core";
import { basename, dirname } from "@isthmus/platform";

/** Endings of files that say nothing about a network. */
const ENDING = /\.(safetensors|pt|pth|bin|ckpt|npz|gguf|onnx|json)$/;

/**
 * Makes short names of the files of networks, without folder and ending; folders are kept if several files
 * have the same name, as few as tell them apart. Two names may still be alike.
 */
export function namesOfFiles(sources: readonly string[]): string[] {
  return withFolders(
    sources,
    sources.map((source) => basename(source).replace(ENDING, "")),
  );
}

/**
 * Makes the words for networks in a title: names of their files or last folders with their endings, and with
 * the folders around them if several have the same name.
 */
export function titlesOfFiles(sources: readonly string[]): string[] {
  return withFolders(
    sources,
    sources.map((source) => basename(source)),
  );
}

/** Puts folders before names that several files have. */
function withFolders(sources: readonly string[], files: readonly string[]): string[] {
  return sources.map((source, index) => {
    const file = at(files, index, "name");
    const others = sources.filter((other, i) => other !== source && files[i] === file);
    if (files.filter((other) => other === file).length === 1) return file;
    const most = foldersOf(source).length;
    let count = Math.min(1, most);
    const beginning = (path: string) => foldersOf(path).slice(-count).join("/");
    while (count < most && others.some((other) => beginning(other) === beginning(source))) count += 1;
    return count === 0 ? file : `${beginning(source)}/${file}`;
  });
}

/** Lists the names of the folders that a path leads through. */
function foldersOf(path: string): readonly string[] {
  const folder = dirname(path);
  const name = basename(folder);
  if (folder === path || name === "" || name === ".") return [];
  return [...foldersOf(folder), name];
}

/** Characters of the beginning and of the end of a longer name that are kept. */
const KEPT = { beginning: 40, end: 20 } as const;

/** Leaves out the middle of a name that is too long for tables and figures. */
function shorten(name: string): string {
  const characters = [...name];
  if (characters.length <= KEPT.beginning + KEPT.end + 1) return name;
  return [...characters.slice(0, KEPT.beginning), "…", ...characters.slice(-KEPT.end)].join("");
}

/**
 * Makes short names of the files of networks, no two of which are alike: the middle of long ones is left out,
 * and later ones of one name are numbered.
 */
export function distinctNamesOfFiles(sources: readonly string[]): string[] {
  const taken = new Set<string>();
  return namesOfFiles(sources).map((whole) => {
    const name = shorten(whole);
    let distinct = name;
    for (let number = 2; taken.has(distinct); number++) distinct = `${name} (${number})`;
    taken.add(distinct);
    return distinct;
  });
}
