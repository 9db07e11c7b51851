import {
  assertWholeOptions,
  at,
  entry,
  OutOfRangeError,
  resolveOptions,
  UnsupportedError,
  UsageError,
} from "@isthmus/core";
import { nextId } from "../models/read-vocabulary.ts";
import { type OpenedReplacement, openReplacement, rowsIn, type Weights } from "./open-replacement.ts";
import {
  REPLACE_VOCABULARY_DEFAULTS,
  type ReplacementOptions,
  type ReplaceVocabularyOptions,
  VOCABULARY_METHODS,
} from "./replacement-options.ts";
import type { ReplacementPlan } from "./replacement-result.ts";

/**
 * Plans the replacement of a model's vocabulary: which tokens are copied, and how many are made. Reads
 * vocabularies and headers only.
 * @param model - folder of the model
 * @param donor - folder of the model whose tokenizer it gets
 * @throws InputError if a folder has no tokenizer or no weights, or both have no token in common
 */
export async function planReplacement(
  model: string,
  donor: string,
  options: ReplacementOptions = {},
): Promise<ReplacementPlan> {
  const resolved = resolveReplacement(options);
  const opened = await openReplacement(model, donor, resolved.method === "omp");
  try {
    return describeReplacement(opened, resolved);
  } finally {
    await opened.close();
  }
}

const LEAST_MEMORY = 2 ** 24;

/**
 * Checks options, and fills in defaults.
 * @throws UsageError if there is no such method
 * @throws OutOfRangeError if a number is out of its range
 */
export function resolveReplacement(options: ReplaceVocabularyOptions): Required<ReplaceVocabularyOptions> {
  const attempt = "replace a vocabulary";
  const resolved = resolveOptions(attempt, REPLACE_VOCABULARY_DEFAULTS, options);
  if (!VOCABULARY_METHODS.includes(resolved.method)) {
    throw new UsageError(
      `Cannot replace a vocabulary as the method must be ${VOCABULARY_METHODS.join(", ")}: it is "${resolved.method}"`,
    );
  }
  assertWholeOptions(attempt, resolved, { neighbours: 1 });
  if (resolved.memory >= LEAST_MEMORY) return resolved;
  throw new OutOfRangeError(
    `Cannot replace a vocabulary as memory must be at least 16 MiB: it is ${resolved.memory} bytes`,
  );
}

/** Describes an opened replacement. */
export function describeReplacement(
  opened: OpenedReplacement,
  { method }: Required<ReplaceVocabularyOptions>,
): ReplacementPlan {
  const { model, donor, matches, plan } = opened;
  const isToken = (id: number) => matches.tokens[id] !== undefined;
  const ids = [...matches.rows.keys()].filter(isToken);
  const shared = ids.filter((id) => at(matches.rows, id) >= 0).length;
  const fresh = ids.length - shared;
  const spaces = new Set<string>();
  const tensors = [...model.weights.axes].map(([name, axis]) => {
    const space = spaceOf(opened, name);
    if (space !== null) spaces.add(space);
    const { shape } = entry(model.weights.checkpoint.tensors, name, "tensor");
    return { name, shape: shape.with(axis, plan.size), donor: space };
  });
  const { weights } = donor;
  return {
    model: model.directory,
    donor: donor.directory,
    method,
    tokensBefore: model.vocabulary.ids.size,
    tokens: ids.length,
    size: plan.size,
    shared,
    fresh,
    unknown: weights === undefined ? 0 : countUnknown(opened, weights, spaces),
    tensors,
  };
}

function countUnknown({ matches }: OpenedReplacement, weights: Weights, spaces: ReadonlySet<string>): number {
  const rows = Math.min(...[...spaces].map((name) => rowsIn(weights, name)));
  return [...matches.rows.keys()].filter(
    (id) => id >= rows && matches.tokens[id] !== undefined && at(matches.rows, id) < 0,
  ).length;
}

/**
 * Finds the tensor of the donor in whose space the tokens of a model's tensor are compared: its head for a
 * head, otherwise its embedding.
 * @returns null if the donor's weights are not needed
 * @throws UnsupportedError if the donor has no embedding that is known by its name
 */
export function spaceOf({ model, donor }: OpenedReplacement, name: string): string | null {
  const { weights } = donor;
  if (weights === undefined) return null;
  const { head, embedding } = model.weights;
  const isHead = head !== undefined && (name === head || (name !== embedding && isOfHead(name)));
  const space = (isHead ? weights.head : undefined) ?? weights.embedding;
  if (space !== undefined) return space;
  throw new UnsupportedError(
    `Cannot compare tokens in the space of "${donor.directory}" as its embedding must have a usual name, such as embed_tokens: it has ${[...weights.axes.keys()].join(", ") || "none"}; use --method subword`,
    { feature: "embedding" },
  );
}

/** Checks whether a tensor belongs to a head, such as its bias. */
function isOfHead(name: string): boolean {
  return /(^|\.)(lm_head|embed_out|predictions|output|pred_layer)\.|final_logits_bias/.test(name);
}

/** Lists the ids of a new vocabulary that no row of the model fits, rising. */
export function freshIds({ matches, donor }: OpenedReplacement): Int32Array {
  const ids = Array.from({ length: nextId(donor.vocabulary.ids) }, (_, id) => id);
  return Int32Array.from(ids.filter((id) => matches.tokens[id] !== undefined && at(matches.rows, id) < 0));
}
