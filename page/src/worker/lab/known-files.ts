import { withCheckpoints } from "@isthmus/core";
import { mountFile, unmountFile } from "@isthmus/platform/browser";
import { readArchitecture } from "@isthmus/zoo";
import type { FileUse, GivenFile, KnownData, KnownFile, KnownFiles } from "./lab-requests.ts";

/** Files that lie beside weights, by their names. */
const BESIDE =
  /(^|\/)(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|vocab|added_tokens)\.json$|\.(txt|md|model|jinja|onnx\.data)$/i;

/** Files of the MNIST form, compressed or not. */
const IDX = /idx[13]-ubyte(\.gz)?$/i;

/** Names of arrays that hold what examples are, beside arrays of inputs. */
const LABELS = /^(y|labels|targets)(_(test|train))?$/;

/** The files that the page has given, with what they are. */
export class FileShelf {
  readonly #files = new Map<string, { readonly given: GivenFile; known: KnownFile | undefined }>();

  /** Takes files; one of a path that is taken replaces the former. */
  async add(files: readonly GivenFile[]): Promise<void> {
    for (const given of files) {
      if (this.#files.has(given.path)) await this.remove(given.path);
      this.#files.set(given.path, { given, known: mount(given) });
    }
  }

  async remove(path: string): Promise<void> {
    const file = this.#files.get(path);
    this.#files.delete(path);
    if (file !== undefined && file.known?.use !== "refused") await unmountFile(`/${path}`);
  }

  /** Says what all files are; those that could not be read are tried again, as others may have come. */
  async list(onDone: (done: number) => void, signal?: AbortSignal): Promise<KnownFiles> {
    const all = [...this.#files.values()];
    for (const [index, file] of all.entries()) {
      signal?.throwIfAborted();
      const isOpen = file.known === undefined || file.known.problem !== undefined;
      if (isOpen && file.known?.use !== "refused") file.known = await recognise(file.given);
      onDone((index + 1) / all.length);
    }
    const parts = new Set<string>();
    for (const { known } of all) {
      if (known === undefined || !known.path.endsWith(".index.json") || known.problem !== undefined) continue;
      const files = await withCheckpoints([known.path], async ([opened]) => opened.files);
      for (const path of files)
        if (path !== `/${known.path}` && path !== known.path) parts.add(path.replace(/^\//, ""));
    }
    const files = all.flatMap(({ known }) =>
      known === undefined ? [] : [parts.has(known.path) ? { ...known, use: "part" as const } : known],
    );
    return { files, data: dataAmong(files) };
  }
}

/** Puts a file where the library finds it; returns what is known of one that cannot be put there. */
function mount({ path, content }: GivenFile): KnownFile | undefined {
  try {
    mountFile(`/${path}`, content);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return { path, bytes: content.size, use: "refused", what: "cannot be taken", problem: message };
  }
}

async function recognise({ path, content }: GivenFile): Promise<KnownFile> {
  const known = (use: FileUse, what: string, problem?: string): KnownFile => ({
    path,
    bytes: content.size,
    use,
    what,
    problem,
  });
  if (/\.ya?ml$/i.test(path)) return known("recipe", "recipe");
  if (IDX.test(path)) {
    const what = path.includes("labels") ? "labels" : "images";
    return { ...known("data", what), examples: path.endsWith(".gz") ? undefined : await countOf(content) };
  }
  if (BESIDE.test(path)) return known("beside", "lies beside weights");
  try {
    if (/\.onnx$/i.test(path)) {
      const { graph } = await readArchitecture(path);
      return known("graph", `graph of ${graph.nodes.length} nodes, ${graph.weights.size} weights`);
    }
    return await withCheckpoints([path], async ([{ tensors }]) => {
      const names = [...tensors.keys()];
      const labels = names.length < 8 ? names.find((name) => LABELS.test(name)) : undefined;
      if (labels !== undefined) {
        const what = `examples: ${names.join(", ")}`;
        return { ...known("data", what), examples: tensors.get(labels)?.shape[0] };
      }
      return known("network", `network of ${tensors.size === 1 ? "1 tensor" : `${tensors.size} tensors`}`);
    });
  } catch (error) {
    return known("beside", "cannot be read", (error as Error).message);
  }
}

/** Reads the number of examples from the beginning of a file of the MNIST form. */
async function countOf(content: Blob): Promise<number | undefined> {
  const head = await content.slice(4, 8).arrayBuffer();
  return head.byteLength === 4 ? new DataView(head).getUint32(0) : undefined;
}

/** Lists the examples among files: arrays, and pairs of images and labels. */
function dataAmong(files: readonly KnownFile[]): KnownData[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.flatMap(({ path, use, examples: count }): KnownData[] => {
    if (use !== "data") return [];
    if (!IDX.test(path)) {
      const form = path.toLowerCase().endsWith(".npz") ? "npz" : "safetensors";
      return [{ name: `${form}:${path}`, label: path, count }];
    }
    const labels = path.replace("images", "labels").replace("idx3", "idx1");
    return labels !== path && paths.has(labels)
      ? [{ name: `idx:${path},${labels}`, label: `${path} with its labels`, count }]
      : [];
  });
}
