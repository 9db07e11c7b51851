import { at, closestName, entry, groupBy } from "@isthmus/core";
import { isNamedLayers, type LayerRun, type Layout } from "./infer-layout.ts";

/** Words in the prefix of layers that do not read or write texts. */
const TOWER = /vision|visual|image|img|audio|speech/i;
/** Words in the prefix of layers that predict further tokens, beside the layers of texts. */
const DRAFT = /(^|[._/])(mtp|nextn|draft|eagle|medusa)/i;
/**
 * Words in the prefix of layers of texts in a network that also has layers between the towers and the texts.
 */
const TEXT = /language|text|llm/i;
/** Words in the names of tensors that come before the layers. */
const INPUT = /embed|(^|[./])(wte|wpe|emb|tok|patch|conv1|stem)|token_embd|(^|[./])pre_/i;
/** Words in the names of tensors that come after the layers although their names look like embeddings. */
const OUTPUT = /embed_out|unembed/i;
/** Names of output layers, which belong to the main part although their names stand beside it. */
const HEAD = /^(lm_head|output|head|score|classifier|cls|norm|ln_f|final_)/i;
/** Names of embeddings of texts, which belong to the layers of texts in the same module. */
const EMBEDDING = /^(embed|wte|wpe|tok_emb|word_emb)/i;

/** The parts of a network, with layers and without, each under a unique name. */
export interface Modules {
  /** Names of all parts, such as `vision_tower`; `default` if the network has only one. */
  readonly names: readonly string[];
  /** Name of the main part: of texts in a network with towers, otherwise the part with the most layers. */
  readonly main: string;
  /** Names of the parts that may be the main one: several if names do not decide. */
  readonly mains: readonly string[];
  /** Names the part that a tensor belongs to. */
  moduleOf(name: string): string;
  /** Finds the runs of layers of a part; a tower may have several. */
  runsOf(module: string): readonly LayerRun[];
}

/** Checks whether a tensor outside layers is used before them. */
export function isBeforeLayers(name: string): boolean {
  return INPUT.test(name) && !OUTPUT.test(name);
}

/**
 * Infers the parts of a network from the first words in which the prefixes of its layers differ. If layers of
 * texts and other layers share that word, the next word decides.
 */
export function inferModules({ runs }: Layout, tensors: Iterable<string>): Modules {
  if (runs.length < 2) {
    const only = { names: ["default"], main: "default", mains: ["default"] };
    return { ...only, moduleOf: () => "default", runsOf: () => runs };
  }
  const root = splitRuns(runs, "");
  const leaves = leavesOf(root);
  const mains = findMains(leaves);
  const [main = root] = [...mains].sort((a, b) => longestOf(b) - longestOf(a));
  const pathOf = (name: string) => findPath(root, name, main.path);
  const all = [...tensors];
  const names = nameParts([...leaves.map(({ path }) => path), ...all.map(pathOf)], leaves);
  const nameOf = (path: string) => entry(names, path, "part");
  const byName = new Map(leaves.map(({ path, runs: of }) => [nameOf(path), namedFirst(of)]));
  return {
    names: [...new Set(all.map((name) => nameOf(pathOf(name))))],
    main: nameOf(main.path),
    mains: mains.map(({ path }) => nameOf(path)),
    moduleOf: (name) => names.get(pathOf(name)) ?? nameOf(main.path),
    runsOf: (module) => byName.get(module) ?? [],
  };
}

/**
 * Layers whose prefixes begin with the same words, and the branches into which they are divided; no branches
 * if the layers are one part.
 */
interface Branch {
  /** Common beginning of the names, up to a dot or slash. */
  readonly path: string;
  readonly runs: readonly LayerRun[];
  readonly children: ReadonlyMap<string, Branch>;
}

const wordOf = (name: string) => name.replace(/[./].*$/s, "");

function splitRuns(runs: readonly LayerRun[], path: string): Branch {
  const layers = runs.filter(isNamedLayers);
  const isOnePart =
    runs.length === 1 ||
    (path !== "" && (layers.length < 2 || layers.every(({ prefix }) => TOWER.test(prefix))));
  if (isOnePart) return { path, runs, children: new Map() };
  const groups = groupBy(runs, ({ prefix }) => wordOf(prefix.slice(path.length)));
  const children = [...groups].map(([word, of]): [string, Branch] => [
    word,
    // With the dot or slash that follows.
    splitRuns(of, at(of, 0, "run").prefix.slice(0, path.length + word.length + 1)),
  ]);
  return { path, runs, children: new Map(children) };
}

function leavesOf(branch: Branch): readonly Branch[] {
  return branch.children.size === 0 ? [branch] : [...branch.children.values()].flatMap(leavesOf);
}

/** Returns the runs that are named like layers, or all runs if no name looks like layers. */
function namedFirst(runs: readonly LayerRun[]): readonly LayerRun[] {
  const named = runs.filter(isNamedLayers);
  return named.length > 0 ? named : runs;
}

const longestOf = ({ runs }: Branch) => Math.max(...runs.map(({ count }) => count));

/**
 * Finds the parts that may be the main one. Parts of texts take precedence over parts of other data and over
 * parts that predict further tokens.
 */
function findMains(leaves: readonly Branch[]): readonly Branch[] {
  const some = (wanted: (run: LayerRun) => boolean) => (from: readonly Branch[]) => {
    const left = from.filter(({ runs }) => runs.some(wanted));
    return left.length > 0 ? left : from;
  };
  const steps = [
    some(isNamedLayers),
    some(({ prefix }) => !TOWER.test(prefix)),
    some(({ prefix }) => !DRAFT.test(prefix)),
    some(({ prefix }) => TEXT.test(prefix)),
  ];
  return steps.reduce((from, step) => step(from), leaves);
}

/** Finds the path of the part that a tensor belongs to. */
function findPath(root: Branch, name: string, main: string): string {
  let branch = root;
  while (branch.children.size > 0) {
    const rest = name.slice(branch.path.length);
    const word = wordOf(rest);
    const child = branch.children.get(word);
    if (child === undefined || !name.startsWith(child.path)) {
      const isBeside = directOf(branch)?.path === main && EMBEDDING.test(rest);
      return branch.children.size === 1 || HEAD.test(rest) || isBeside ? main : `${branch.path}${word}.`;
    }
    branch = child;
  }
  return branch.path;
}

/**
 * Finds the layers that stand directly in a branch, as `model.layers.` beside `model.vision_tower...`;
 * undefined if there are none or several.
 */
function directOf({ children }: Branch): Branch | undefined {
  const direct = [...children.values()].filter(({ path, runs }) =>
    runs.some(({ prefix }) => prefix === path),
  );
  return direct.length === 1 ? direct[0] : undefined;
}

/** Names each part by its last word, or by all its words if another part has the same last word. */
function nameParts(paths: readonly string[], leaves: readonly Branch[]): ReadonlyMap<string, string> {
  const isList = (path: string) => leaves.some(({ runs }) => runs.some(({ prefix }) => prefix === path));
  const named = [...new Set(paths)].map((path) => {
    const words = path.split(/[./]/).filter((word) => word !== "");
    // The layers in "model.layers." belong to "model".
    const above = isList(path) ? words.slice(0, -1) : words;
    return { path, all: words.join("."), last: above.at(-1) ?? "default" };
  });
  const byLast = groupBy(named, ({ last }) => last);
  return new Map(
    named.map(({ path, all, last }) => [path, byLast.get(last)?.length === 1 ? last : all] as const),
  );
}

/** Patterns of the names that checkpoints give to a part, by mergekit's name of the part. */
const KNOWN_NAMES: Readonly<Record<string, RegExp>> = {
  vision_tower: TOWER,
  vision_model: TOWER,
  multi_modal_projector: /projector|connector|merger/i,
};

/**
 * Finds the part that a recipe names, by the name in the checkpoint or by mergekit's name.
 * @returns the part, or the problem with the name
 */
export function findModule(
  name: string,
  { names, main }: Modules,
): { readonly module: string } | { readonly problem: string } {
  if (names.includes(name)) return { module: name };
  if (name === "text_decoder" || name === "default") return { module: main };
  const alias = names.find((module) => KNOWN_NAMES[name]?.test(module));
  if (alias !== undefined) return { module: alias };
  const meant = closestName(name, names);
  const hint = meant === undefined ? `they are ${names.join(", ")}` : `did you mean "${meant}"?`;
  return { problem: `is no part of the network; ${hint}` };
}
