import { closestName } from "@isthmus/core";
import type { LayerRun, Layout } from "./infer-layout.ts";

/** Words in the prefix of layers that do not read or write texts. */
const TOWER = /vision|visual|image|audio|speech/i;
/** Words in the names of tensors that come before the layers. */
const INPUT = /embed|(^|[./])(wte|wpe|emb|tok|patch|conv1|stem)|token_embd|(^|[./])pre_/i;
/** Words in the names of tensors that come after the layers although they look like embeddings. */
const OUTPUT = /embed_out|unembed/i;
/** Names of output layers, which belong to the main part although they stand beside it. */
const HEAD = /^(lm_head|output|head|score|classifier|cls|norm|ln_f|final_)/i;

/** The parts of a network that have layers of their own, and its other parts. */
export interface Modules {
  readonly names: readonly string[];
  /** The part of texts in a network with towers, else the part with the most layers. */
  readonly main: string;
  /** Names the part that a tensor belongs to. */
  moduleOf(name: string): string;
  /** Finds the run of layers of a part; undefined if it has none. */
  runOf(module: string): LayerRun | undefined;
}

/** Checks whether a tensor outside layers is used before them. */
export function isBeforeLayers(name: string): boolean {
  return INPUT.test(name) && !OUTPUT.test(name);
}

/** Infers the parts of a network: the first words in which the prefixes of its layers differ. */
export function inferModules({ runs }: Layout, tensors: Iterable<string>): Modules {
  const [longest] = [...runs].sort(
    (a, b) => Number(TOWER.test(a.prefix)) - Number(TOWER.test(b.prefix)) || b.count - a.count,
  );
  if (longest === undefined || runs.length === 1)
    return { names: ["default"], main: "default", moduleOf: () => "default", runOf: () => longest };
  const shared = sharedPrefix(runs.map(({ prefix }) => prefix));
  const wordOf = (name: string) => name.slice(shared.length).replace(/[./].*$/, "");
  const byName = new Map(runs.map((run) => [wordOf(run.prefix), run]));
  const main = wordOf(longest.prefix);
  const moduleOf = (name: string) => {
    if (!name.startsWith(shared) || HEAD.test(name.slice(shared.length))) return main;
    return wordOf(name);
  };
  return {
    names: [...new Set([...tensors].map(moduleOf))],
    ...{ main, moduleOf, runOf: (module) => byName.get(module) },
  };
}

/** Text that all prefixes begin with, up to the last dot. */
function sharedPrefix(prefixes: readonly string[]): string {
  const [first = "", ...others] = prefixes;
  let length = 0;
  while (length < first.length && others.every((other) => other[length] === first[length])) length++;
  return first.slice(0, Math.max(first.lastIndexOf(".", length - 1), first.lastIndexOf("/", length - 1)) + 1);
}

/** What mergekit calls parts, by words of the names that checkpoints have for them. */
const KNOWN_NAMES: Readonly<Record<string, RegExp>> = {
  vision_tower: TOWER,
  vision_model: TOWER,
  multi_modal_projector: /projector|connector|merger/i,
};

/**
 * Finds the part that a recipe names, by its own name or by what mergekit calls it.
 * @returns the part, or what is wrong with the name
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
