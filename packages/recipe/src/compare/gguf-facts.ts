import { at, type Checkpoint, hasGgufMetadata, parseJson } from "@isthmus/core";
import { encodeUtf8 } from "@isthmus/platform";
import type { MergeFinding } from "./findings/merge-finding.ts";
import type { ModelFacts } from "./model-facts.ts";

/** Key of the metadata that names the architecture, such as `llama`. */
const ARCHITECTURE_KEY = "general.architecture";

/** Key of the metadata that list the tokens, as JSON. */
const TOKENS_KEY = "tokenizer.ggml.tokens";

/**
 * Share of ids that stand for other tokens, above which two vocabularies are not one. Models of one
 * vocabulary differ in some reserved tokens, to which each gives a use of its own.
 */
const UNRELATED = 0.1;

/**
 * Returns the facts about a model in the metadata of a GGUF file; null if the checkpoint has no such
 * metadata.
 */
export function factsOfGguf({ metadata }: Pick<Checkpoint, "metadata">): ModelFacts | null {
  if (!hasGgufMetadata(metadata)) return null;
  return {
    modelType: metadata[ARCHITECTURE_KEY] ?? null,
    tied: null,
    quantization: null,
    chat: metadata["tokenizer.chat_template"] !== undefined,
    adapter: metadata["general.type"] === "adapter",
  };
}

/**
 * Finds networks whose GGUF metadata name another architecture than the first network does. A program builds
 * the model of one architecture, so tensors of another have no place in it, also if they are only copied.
 */
export function findOtherArchitectures(networks: readonly Checkpoint[]): readonly MergeFinding[] {
  const architectures = networks.map(({ metadata }) => metadata[ARCHITECTURE_KEY]);
  const first = architectures.findIndex((architecture) => architecture !== undefined);
  return architectures.flatMap((architecture, index): MergeFinding[] => {
    if (architecture === undefined || architecture === architectures[first]) return [];
    const names = [first, index].map((i) => `network ${i + 1} ("${at(networks, i, "network").source}")`);
    return [
      {
        kind: "model-types",
        severity: "error",
        networks: [first, index],
        message: `${names.join(" and ")} are of other architectures: ${architectures[first]} and ${architecture}`,
        advice: "merge GGUF files of one architecture: equal names of tensors do not mean the same in both",
      },
    ];
  });
}

/**
 * Finds networks whose GGUF metadata list other tokens than the first list does. A merge would blend the rows
 * of their embeddings with rows of other tokens.
 */
export function findOtherTokens(networks: readonly Checkpoint[]): readonly MergeFinding[] {
  const lists = networks.map(({ metadata }) => metadata[TOKENS_KEY]);
  const first = lists.findIndex((list) => list !== undefined);
  const expected = lists[first];
  if (expected === undefined) return [];
  return lists.flatMap((list, index): MergeFinding[] => {
    if (list === undefined || list === expected) return [];
    const share = shareOfOthers(itemsOf(expected), itemsOf(list));
    const names = [first, index].map((i) => `network ${i + 1} ("${at(networks, i, "network").source}")`);
    return [
      {
        kind: "vocabulary-order",
        severity: share > UNRELATED ? "error" : "warning",
        networks: [first, index],
        message: `the tokenizers of ${names.join(" and ")} give ${(100 * share).toFixed(1)} % of ids to other tokens, and the result has the first`,
        advice: "merge networks of one tokenizer: rows of other tokens have nothing in common",
      },
    ];
  });
}

/** Finds all that keeps GGUF files from being merged into one file, by their metadata alone. */
export function findGgufConflicts(networks: readonly Checkpoint[]): readonly MergeFinding[] {
  return [...findOtherArchitectures(networks), ...findOtherTokens(networks)];
}

function itemsOf(json: string): readonly unknown[] {
  const items = parseJson(encodeUtf8(json), { attempt: `read metadata "${TOKENS_KEY}"` });
  return Array.isArray(items) ? items : [];
}

function shareOfOthers(a: readonly unknown[], b: readonly unknown[]): number {
  const most = Math.max(a.length, b.length);
  const others = Array.from({ length: most }, (_, i) => a[i] !== b[i]).filter(Boolean).length;
  return most === 0 ? 0 : others / most;
}
