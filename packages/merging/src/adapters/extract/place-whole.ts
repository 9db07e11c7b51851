import type { Checkpoint } from "@isthmus/core";
import { moduleOf } from "../module-of.ts";
import { type ExtractedTensor, isHead, isTokenEmbedding } from "./tensor-roles.ts";

/** How the tensors that an adapter stores whole are named in it, and which modules PEFT keeps whole. */
export interface WholePlaces {
  /** Names after PEFT's prefix, by the names of the tensors in the fine-tune. */
  readonly names: ReadonlyMap<string, string>;
  /** Modules of `modules_to_save`. */
  readonly savedModules: readonly string[];
  /**
   * Which biases PEFT takes to be of the adapter: none, the biases of modules with factors, or others as
   * well.
   */
  readonly bias: "none" | "lora_only" | "all";
}

/**
 * Decides how changed tensors are stored whole. PEFT copies a module of `modules_to_save` and wants all of
 * its tensors, so unchanged ones beside a changed one are stored as well.
 *
 * Biases of linear layers, and tensors whose module contains factors or has a name with which that of
 * another module ends, cannot be stored so: they have the name of the network's own tensor, which PEFT writes
 * into the network itself. So has the embedding of tokens in a network without a head of its own: the head
 * is tied to it then, and would not follow a copy.
 *
 * @param changed - names of the tensors that are stored whole as they changed
 * @param factored - names of weights that are stored as factors
 */
export function placeWhole(
  tuned: Checkpoint,
  tensors: readonly ExtractedTensor[],
  { changed, factored }: { readonly changed: readonly string[]; readonly factored: ReadonlySet<string> },
): WholePlaces {
  const linear = new Set(tensors.filter(({ role }) => role === "factors").map(({ name }) => moduleOf(name)));
  const modules = listModules(tuned);
  const withFactors = [...factored].map(moduleOf);
  const isBias = (name: string) => name.endsWith(".bias") && linear.has(moduleOf(name));
  const isTied = !tensors.some(({ name }) => name.endsWith(".weight") && isHead(name));
  const canBeSaved = (module: string) =>
    module !== "" &&
    !(isTied && isTokenEmbedding(module)) &&
    !withFactors.some((name) => isWithin(name, module)) &&
    ![...modules].some((other) => other.endsWith(module) && !isWithin(other, module) && other !== module);
  const parents = new Set(changed.filter((name) => !isBias(name)).map(moduleOf));
  const saveable = [...parents].filter(canBeSaved);
  const savedModules = saveable.filter(
    (module) => !saveable.some((other) => other !== module && isWithin(module, other)),
  );
  const isSaved = (name: string) => savedModules.some((module) => isWithin(moduleOf(name), module));
  const names = new Map([...tuned.tensors.keys()].filter(isSaved).map((name) => [name, name]));
  const biases = new Set<string>();
  for (const name of changed) {
    if (names.has(name)) continue;
    const module = moduleOf(name);
    const isOfFactors = isBias(name) && factored.has(`${module}.weight`);
    names.set(name, isOfFactors ? `${module}.base_layer.bias` : name);
    if (isBias(name)) biases.add(isOfFactors ? "lora_only" : "all");
  }
  return {
    names,
    savedModules,
    bias: biases.has("all") ? "all" : biases.has("lora_only") ? "lora_only" : "none",
  };
}

/** Checks whether a module is another one, or lies in it. */
function isWithin(module: string, outer: string): boolean {
  return module === outer || module.startsWith(`${outer}.`);
}

/** Lists all modules that have tensors, and the modules that contain them. */
function listModules({ tensors }: Checkpoint): ReadonlySet<string> {
  const modules = new Set<string>();
  for (const name of tensors.keys()) {
    for (let module = moduleOf(name); module !== "" && !modules.has(module); module = moduleOf(module)) {
      modules.add(module);
    }
  }
  return modules;
}
