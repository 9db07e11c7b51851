import type { Argument, CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { DATA_SET_FORMS } from "@isthmus/data";
import { MERGE_METHODS } from "@isthmus/merging";
import { NETWORK_FORMS } from "@isthmus/zoo";
import { listShipped } from "../study/find-described.ts";

/** Candidates that a shell offers for the value of an option, or for an argument. */
export interface Offer {
  /**
   * Words. A word that ends in `:` or `/` is the start of a value: no space follows it. Names of files are
   * offered behind a colon.
   */
  readonly words: readonly string[];
  /**
   * Endings of the files that are offered, beside folders; `any` for all files, `folders` for folders alone.
   * @defaultValue no files
   */
  readonly files?: Files;
}

type Files = readonly string[] | "any" | "folders";

const NOTHING: Offer = { words: [] };
const ANY_FILE: Offer = { words: [], files: "any" };
const FOLDERS: Offer = { words: [], files: "folders" };
const RECIPES = [".yml", ".yaml"];
const CHECKPOINTS = [".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".npz", ".gguf", ".onnx", ".json"];
const CHECKPOINT: Offer = { words: [], files: CHECKPOINTS };
const GRAPH: Offer = { words: [], files: [".onnx", ".json"] };
const SCRIPT: Offer = { words: [], files: [".js", ".mjs", ".ts", ".mts"] };

/** Offers by the names of options, without dashes. */
const BY_OPTION: Readonly<Record<string, () => Offer>> = {
  graph: () => GRAPH,
  "graph-a": () => GRAPH,
  "graph-b": () => GRAPH,
  use: () => SCRIPT,
  methods: () => SCRIPT,
  report: () => ({ words: [], files: [".html"] }),
  net: () => ({ words: NETWORK_FORMS.flatMap(startsOfForm) }),
  method: () => ({ words: [...MERGE_METHODS.keys()] }),
  queue: () => ({ words: ["redis://", "rediss://", "postgres://"], files: "folders" }),
  storage: () => ({ words: ["s3://"], files: "folders" }),
};
const DATA_OPTION = /^(?:[a-z]+-)?data(?:-[ab])?$/;

/** Offers by the placeholders of options: what a value is called in the help. */
const BY_PLACEHOLDER: Readonly<Record<string, Offer>> = {
  checkpoint: CHECKPOINT,
  file: ANY_FILE,
  files: ANY_FILE,
  path: ANY_FILE,
  folder: FOLDERS,
};

/** Offers by verbs and names of their arguments. All other arguments are checkpoints. */
const BY_ARGUMENT: Readonly<Record<string, () => Offer>> = {
  "merge checkpoints": () => ({ words: [], files: [...CHECKPOINTS, ...RECIPES] }),
  "search recipe": () => ({ words: [], files: RECIPES }),
  "symmetry graph": () => GRAPH,
  "study study": () => ({ words: listShipped("study"), files: RECIPES }),
  "federate simulate simulation": () => ({ words: listShipped("simulation"), files: RECIPES }),
  "federate serve file": () => ({ words: [], files: RECIPES }),
  "report results": () => ({ words: [], files: [".json"] }),
  "convert output": () => ANY_FILE,
  "queue cancel tasks": () => NOTHING,
  "queue retry tasks": () => NOTHING,
  "federate token names": () => NOTHING,
  "federate join url": () => ({ words: ["https://", "http://"] }),
};

/** Returns what a shell offers for the value of an option: its choices, or what its name or its help says. */
export function offerForOption(option: Option): Offer {
  if (option.argChoices) return { words: option.argChoices };
  const name = option.name();
  if (DATA_OPTION.test(name)) return { words: DATA_SET_FORMS.flatMap(startsOfForm) };
  const [, placeholder = ""] = /[<[]([a-z]+)/.exec(option.flags) ?? [];
  return BY_OPTION[name]?.() ?? BY_PLACEHOLDER[placeholder] ?? NOTHING;
}

/**
 * Returns what a shell offers for the arguments of a verb: all that one of them may be, or undefined without
 * arguments.
 *
 * @param verb - its words, such as `queue status`
 */
export function offerForArguments(
  verb: string,
  { registeredArguments }: CommandUnknownOpts,
): Offer | undefined {
  const offers = registeredArguments.map((argument: Argument): Offer => {
    if (argument.argChoices) return { words: argument.argChoices };
    return BY_ARGUMENT[`${verb} ${argument.name()}`]?.() ?? CHECKPOINT;
  });
  if (offers.length === 0) return undefined;
  const words = [...new Set(offers.flatMap((offer) => offer.words))];
  const files = offers.map((offer) => offer.files).reduce(joinFiles);
  return files === undefined ? { words } : { words, files };
}

/** Joins what two arguments may be: folders are offered with all endings. */
function joinFiles(a: Files | undefined, b: Files | undefined): Files | undefined {
  if (a === "any" || b === "any") return "any";
  if (a === undefined || a === "folders") return b ?? a;
  if (b === undefined || b === "folders") return a;
  return [...new Set([...a, ...b])];
}

/**
 * Lists the starts of values that have a form: `lenet` of `lenet`, `csv:` of `csv:FILE`, `resnet18` and
 * `resnet34` of `resnet18|34[:w<width>]`.
 */
function startsOfForm(form: string): readonly string[] {
  const [start = ""] = form.split(/[[<A-Z]/);
  const [first = "", ...others] = start.split("|");
  const [stem = ""] = /^\D*/.exec(first) ?? [];
  return [first, ...others.map((other) => `${stem}${other}`)];
}
