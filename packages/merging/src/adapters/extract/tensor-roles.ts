import { type Checkpoint, formatShape, MismatchError, matchesAny, type TensorInfo } from "@isthmus/core";
import { findTransposed, isMatrix } from "../find-transposed.ts";
import { moduleOf } from "../module-of.ts";

/** Patterns by which users choose how tensors are extracted; all are matched by {@link fitsModule}. */
export interface RolePatterns {
  /** Modules that are stored whole although they multiply by a matrix, in addition to the defaults. */
  readonly saveModules?: readonly string[] | undefined;
  /** Modules that are stored as factors although they would be stored whole, such as embeddings. */
  readonly factorModules?: readonly string[] | undefined;
  /** Modules and tensors that are left out, so that the base's stay. */
  readonly exclude?: readonly string[] | undefined;
}

/** Form in which the change of a tensor is stored: as two factors, or as the fine-tune's whole tensor. */
export type TensorRole = "factors" | "whole";

/** Tensor of the fine-tune, with the form in which its change is stored. */
export interface ExtractedTensor {
  /** Name in both networks. */
  readonly name: string;
  /** Element type and shape in the fine-tune. */
  readonly info: TensorInfo;
  /** Form in which a change is stored. */
  readonly role: TensorRole;
  /** Whether the weight is stored as `[in, out]`, as in GPT-2; for factors alone. */
  readonly isTransposed: boolean;
  /** Whether the weight is that of an embedding, whose factors PEFT stores transposed. */
  readonly isEmbedding: boolean;
  /** Whether the base has a tensor of this name and shape. */
  readonly isInBase: boolean;
}

/** Last parts of the names of embeddings. */
const EMBEDDINGS = ["*embed*", "*embd*", "wte", "wpe", "shared", "relative_attention_bias"];

/** Names of embeddings of tokens, to which heads may be tied. */
const OF_TOKENS = [
  "embed_tokens",
  "wte",
  "word_embeddings",
  "shared",
  "tok_embeddings",
  "embed_in",
  "token_embd",
];

/** Names of heads, which often are new in a fine-tune. */
const HEADS = [
  ...["lm_head", "embed_out", "score", "*classifier*", "qa_outputs", "head", "heads", "output", "proj_out"],
  ...["predictions.decoder", "output_projection"],
];

/** Names of routers of experts, which are no linear layers in transformers. */
const ROUTERS = ["gate", "*router*"];

/**
 * Checks whether a module fits a pattern: by its whole name, by the end of its name after a dot, as PEFT
 * matches names, or by the last part of its name. `*` stands for any characters.
 */
export function fitsModule(patterns: readonly string[], module: string): boolean {
  const last = module.slice(module.lastIndexOf(".") + 1);
  return (
    matchesAny(patterns, module) ||
    matchesAny(
      patterns.map((pattern) => `*.${pattern}`),
      module,
    ) ||
    matchesAny(
      patterns.filter((pattern) => !pattern.includes(".")),
      last,
    )
  );
}

/** Checks whether patterns exclude a tensor: by its own name, or by its module. */
export function fitsTensor(patterns: readonly string[], tensor: string): boolean {
  return matchesAny(patterns, tensor) || fitsModule(patterns, moduleOf(tensor));
}

/** Checks whether a tensor is a head of a language model. */
export function isHead(tensor: string): boolean {
  return fitsModule(HEADS, moduleOf(tensor));
}

/** Checks whether a module is an embedding of tokens, to which a head may be tied. */
export function isTokenEmbedding(module: string): boolean {
  return fitsModule(OF_TOKENS, module);
}

/** Checks whether a module is an embedding. */
function isEmbedding(module: string): boolean {
  return fitsModule(EMBEDDINGS, module);
}

/**
 * Chooses for each tensor of a fine-tune how its change is stored. Matrices of linear layers become factors;
 * embeddings, heads, routers, norms, biases, kernels of convolutions and all else are stored whole.
 * @returns the tensors that are not excluded, in the order of the fine-tune
 * @throws MismatchError if the base has tensors that the fine-tune lacks, or the shape of a tensor differs
 *   that `saveModules` do not name
 */
export function chooseRoles(
  tuned: Checkpoint,
  base: Checkpoint,
  { saveModules = [], factorModules = [], exclude = [] }: RolePatterns,
): readonly ExtractedTensor[] {
  const isExcluded = (name: string) => fitsTensor(exclude, name);
  const missing = [...base.tensors.keys()].filter((name) => !tuned.tensors.has(name) && !isExcluded(name));
  assertRelated(tuned, base, missing);
  const isTransposed = findTransposed(tuned);
  const wholeByName = [...EMBEDDINGS, ...HEADS, ...ROUTERS];
  return [...tuned.tensors]
    .filter(([name]) => !isExcluded(name))
    .map(([name, info]): ExtractedTensor => {
      const module = moduleOf(name);
      const inBase = base.tensors.get(name);
      const isInBase = inBase !== undefined && formatShape(inBase.shape) === formatShape(info.shape);
      const isFactored =
        isInBase &&
        isMatrix(name, info) &&
        !fitsModule(saveModules, module) &&
        (fitsModule(factorModules, module) || !fitsModule(wholeByName, module));
      if (inBase !== undefined && !isInBase && !fitsModule(saveModules, module)) {
        const isOfVocabulary = isEmbedding(module) || isHead(name);
        throw new MismatchError(
          `Cannot extract an adapter from "${tuned.source}" as "${name}" must have the shape that it has in "${base.source}", into which PEFT loads the adapter: they are ${formatShape(info.shape)} and ${formatShape(inBase.shape)}; name the base that it was fine-tuned from${isOfVocabulary ? ", give both one vocabulary first" : ""}, leave it to the base with --exclude "${module}", or store it whole with --save-module "${module}" for a network that has this shape`,
          { parameters: [name] },
        );
      }
      return {
        name,
        info,
        isInBase,
        role: isFactored ? "factors" : "whole",
        isTransposed: isFactored && !isEmbedding(module) && isTransposed(name) === true,
        isEmbedding: isFactored && isEmbedding(module),
      };
    });
}

/** Checks that two networks have tensors in common, and that the base has none that the fine-tune lacks. */
function assertRelated(tuned: Checkpoint, base: Checkpoint, missing: readonly string[]): void {
  const [first] = missing;
  if (first === undefined) return;
  const count = missing.length === 1 ? "" : `, and ${missing.length - 1} more`;
  const isForeign = missing.length === base.tensors.size;
  const advice = isForeign
    ? "they have no names in common: name the base that it was fine-tuned from"
    : `leave it to the base with --exclude "${first}"`;
  throw new MismatchError(
    `Cannot extract an adapter from "${tuned.source}" as it must have all tensors of "${base.source}": it lacks "${first}"${count}; ${advice}`,
    { parameters: missing },
  );
}
