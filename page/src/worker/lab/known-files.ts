import { withCheckpoints } from "@isthmus/core";
import { readIdx, readNpy } from "@isthmus/data";
import { mountFile, unmountFile } from "@isthmus/platform/browser";
import { readArchitecture } from "@isthmus/zoo";
import type { FileUse, GivenFile, KnownData, KnownFile, KnownFiles } from "./lab-requests.ts";

/** Files that lie beside weights, by their names. */
const BESIDE =
  /(^|\/)(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|vocab|added_tokens)\.json$|\.(txt|md|model|jinja|onnx\.data)$/i;

/** A form of files that hold one array each, of which two are a set of examples. */
interface PairForm {
  /** Kind of data, as commands name it. */
  readonly kind: "idx" | "npy";
  /** Names of such files. */
  readonly name: RegExp;
  readonly read: (path: string) => Promise<{ readonly shape: readonly number[] }>;
}

/** Forms of files that hold one array each; files of MNIST may be compressed. */
const PAIR_FORMS: readonly PairForm[] = [
  { kind: "idx", name: /(idx[13]-ubyte|\.idx\d?)(\.gz)?$|(images|labels)[^/]*\.gz$/i, read: readIdx },
  { kind: "npy", name: /\.npy$/i, read: readNpy },
];

/** Pattern of the message of a file that is not there, with its name. */
const MISSING = /^Cannot open "(?:[^"]*\/)?([^"/]+)" as it must exist/;

/** Words in names of files of inputs, and in names of files of labels. */
const WORDS = { inputs: ["images", "inputs", "data", "x"], labels: ["labels", "targets", "y"] } as const;

/** Names of arrays that hold what examples are, beside arrays of inputs. */
const LABELS = /^((test|train)_)?(y|labels|targets)(_(test|train))?$/;

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
  if (BESIDE.test(path)) return known("beside", "lies beside weights");
  const form = pairFormOf(path);
  try {
    if (form !== undefined) {
      if (!hasWord(path, WORDS.labels)) return known("data", "inputs");
      // Labels are small, and there are as many of them as of inputs.
      return { ...known("data", "labels"), examples: (await form.read(path)).shape[0] };
    }
    if (/\.onnx$/i.test(path)) {
      const { graph } = await readArchitecture(path);
      return known("graph", `graph of ${graph.nodes.length} nodes, ${graph.weights.size} weights`);
    }
    return await withCheckpoints([path], async ([{ tensors }]) => {
      const names = [...tensors.keys()];
      const labels = names.length < 8 ? findLabels(names) : undefined;
      if (labels !== undefined) {
        const what = `examples: ${names.join(", ")}`;
        return { ...known("data", what), examples: tensors.get(labels)?.shape[0] };
      }
      return known("network", `network of ${tensors.size === 1 ? "1 tensor" : `${tensors.size} tensors`}`);
    });
  } catch (error) {
    const { message } = error as Error;
    const [, missing] = /\.onnx$/i.test(path) ? (MISSING.exec(message) ?? []) : [];
    const problem =
      missing === undefined ? message : `Drop ${missing} as well: the graph keeps its weights there.`;
    return known("beside", "cannot be read", problem);
  }
}

/** Finds the array of labels that commands read: of the test set, if there are several. */
function findLabels(names: readonly string[]): string | undefined {
  const labels = names.filter((name) => LABELS.test(name));
  return labels.find((name) => name.includes("test")) ?? labels[0];
}

function pairFormOf(path: string): PairForm | undefined {
  return PAIR_FORMS.find(({ name }) => name.test(path));
}

/** Pattern of a word that stands by itself in the name of a file. */
function wordPattern(word: string): RegExp {
  return new RegExp(`(?<=^|[/_.-])${word}(?=[_.-])`, "i");
}

function hasWord(path: string, words: readonly string[]): boolean {
  return words.some((word) => wordPattern(word).test(path));
}

/** Lists the names that the labels of a file of inputs may have. */
function labelNames(path: string): string[] {
  return WORDS.inputs
    .filter((word) => hasWord(path, [word]))
    .flatMap((word) => WORDS.labels.map((label) => path.replace(wordPattern(word), label)))
    .map((name) => name.replace("idx3", "idx1"));
}

/** Lists the examples among files: arrays, and pairs of inputs and labels. */
function dataAmong(files: readonly KnownFile[]): KnownData[] {
  const known = new Map(files.map((file) => [file.path, file]));
  return files.flatMap(({ path, use, examples: count }): KnownData[] => {
    if (use !== "data") return [];
    const form = pairFormOf(path);
    if (form === undefined) {
      const kind = path.toLowerCase().endsWith(".npz") ? "npz" : "safetensors";
      return [{ name: `${kind}:${path}`, label: path, count }];
    }
    const labels = labelNames(path)
      .map((name) => known.get(name))
      .find((file) => file?.use === "data" && file.what === "labels");
    if (labels === undefined) return [];
    const name = `${form.kind}:${path},${labels.path}`;
    return [{ name, label: `${path} with its labels`, count: labels.examples }];
  });
}
