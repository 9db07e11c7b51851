import { isModelFile, isModelFolder, leadsWithin } from "@isthmus/core";
import { join, readdir, stat } from "@isthmus/platform";

const MAX_DEPTH = 3;
const MAX_FILES = 1000;

/** Names of the files of tokenizers. A result gets these files from the network whose tokens it has. */
export const TOKENIZER_FILES: ReadonlySet<string> = new Set([
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "vocab.txt",
  "merges.txt",
  "tokenizer.model",
  "spiece.model",
  "sentencepiece.bpe.model",
  "chat_template.jinja",
  "chat_template.json",
]);

/**
 * Lists the files of a model directory that belong to the network, except its weights: settings, tokenizers,
 * templates, licences, and Python code, which is copied and never run. Links are followed to files in the
 * directory and, in the cache of the Hugging Face hub, to its blobs. Hidden files and links to folders are
 * left out.
 */
export async function listModelFiles(directory: string): Promise<ModelFiles> {
  const all: string[] = [];
  await listInto({ directory, below: "", depth: 0 }, all);
  const [files, outside]: [string[], string[]] = [[], []];
  for (const file of all.slice(0, MAX_FILES)) {
    const list = (await leadsWithin(join(directory, file), directory)) ? files : outside;
    list.push(file);
  }
  return { files, outside };
}

/** Files of a model directory, as paths within it, in order. */
export interface ModelFiles {
  /** Paths of configs, tokenizers, code and licences; weights are left out. */
  readonly files: readonly string[];
  /** Links that lead out of the directory, to files that do not belong to the model. */
  readonly outside: readonly string[];
}

interface Folder {
  readonly directory: string;
  /** Path within the directory. */
  readonly below: string;
  readonly depth: number;
}

async function listInto({ directory, below, depth }: Folder, files: string[]): Promise<void> {
  const entries = await readdir(join(directory, below), { withFileTypes: true });
  for (const item of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(below, item.name);
    if (item.name.startsWith(".")) continue;
    if (item.isDirectory()) {
      if (depth < MAX_DEPTH && isModelFolder(item.name)) {
        await listInto({ directory, below: path, depth: depth + 1 }, files);
      }
    } else if (isModelFile(item.name) && (await isFile(join(directory, path)))) files.push(path);
  }
}

async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}
