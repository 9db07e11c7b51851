import {
  at,
  type Checkpoint,
  entry,
  InputError,
  openCheckpoint,
  resolveModelPath,
  sizeOf,
  UnsupportedError,
} from "@isthmus/core";
import { dirname, stat } from "@isthmus/platform";
import { readModelConfig } from "../models/exact-json.ts";
import { stripTokenizer } from "../models/merge-tokenizer.ts";
import { nextId, readVocabulary, type Vocabulary } from "../models/read-vocabulary.ts";
import { examineTiedWeights } from "../models/tied-weights.ts";
import { findVocabularyAxes, type VocabularyAxes } from "../models/vocabulary-axes.ts";
import type { VocabularyPlan } from "../models/vocabulary-plan.ts";
import { matchTokens, type TokenMatches } from "./match-tokens.ts";

/** One of the two folders of a replacement. */
export interface ReplacementSide {
  /** Path of the folder. */
  readonly directory: string;
  /** Tokens in the files of the folder. */
  readonly vocabulary: Vocabulary;
  /** Weights in the folder; undefined for a donor whose weights are not needed. */
  readonly weights: Weights | undefined;
}

/** Weights of a model, and its tensors with a row for each token. */
export interface Weights {
  /** Opened weights. */
  readonly checkpoint: Checkpoint;
  /** Axes that count tokens, by names of tensors. */
  readonly axes: VocabularyAxes;
  /** Name of the embedding. */
  readonly embedding: string | undefined;
  /** Name of a head that is not the embedding; undefined if there is none. */
  readonly head: string | undefined;
}

/** A model and the donor of its new tokenizer, with the tokens of both matched. */
export interface OpenedReplacement {
  /** The model. */
  readonly model: ReplacementSide & { readonly weights: Weights };
  /** The donor of the tokenizer. */
  readonly donor: ReplacementSide;
  /** Rows that new tokens take over from the model. */
  readonly matches: TokenMatches;
  /** Vocabulary of the result, from which its files are written. */
  readonly plan: VocabularyPlan;
  /** Notes for the user. */
  readonly notes: readonly string[];
  /** Closes the weights. */
  close(): Promise<void>;
}

/**
 * Opens a model and the donor of its new tokenizer, and matches their tokens. Reads vocabularies and headers
 * only.
 * @param needsWeights - whether the donor's weights are needed
 * @throws InputError if a folder has no tokenizer or no weights, both have no token in common, or ids of
 *   tokens leave too many holes
 */
export async function openReplacement(
  modelPath: string,
  donorPath: string,
  needsWeights: boolean,
): Promise<OpenedReplacement> {
  const vocabularies = [await openVocabulary(modelPath), await openVocabulary(donorPath)] as const;
  const [old, fresh] = vocabularies;
  assertFewHoles(fresh);
  const matches = matchTokens(old, fresh);
  if (!matches.rows.some((row) => row >= 0)) {
    throw new InputError(
      `Cannot give "${modelPath}" the tokenizer of "${donorPath}" as both must have tokens in common: of ${fresh.ids.size} tokens it has none; name a model of the same kind of text`,
      { input: donorPath },
    );
  }
  const weights = await openWeights(modelPath, old.directory);
  try {
    const ofDonor = needsWeights ? await openWeights(donorPath, fresh.directory) : undefined;
    return {
      model: { directory: old.directory, vocabulary: old, weights },
      donor: { directory: fresh.directory, vocabulary: fresh, weights: ofDonor },
      matches,
      plan: planOf(vocabularies, matches),
      notes: notesOn(vocabularies),
      async close() {
        await weights.checkpoint.close();
        await ofDonor?.checkpoint.close();
      },
    };
  } catch (error) {
    await weights.checkpoint.close();
    throw error;
  }
}

async function openVocabulary(path: string): Promise<Vocabulary> {
  const directory = await folderOf(path);
  const vocabulary = await readVocabulary(directory);
  if (vocabulary !== undefined) return vocabulary;
  throw new InputError(
    `Cannot replace a vocabulary as both models must have a tokenizer: there is no tokenizer.json, vocab.json or vocab.txt in "${directory}"; copy the tokenizer there`,
    { input: directory },
  );
}

async function folderOf(path: string): Promise<string> {
  const location = await resolveModelPath(path);
  const stats = await stat(location).catch(() => undefined);
  if (stats !== undefined) return stats.isDirectory() ? location : dirname(location);
  throw new InputError(
    `Cannot replace a vocabulary as there must be a model "${path}": there is no such folder`,
    {
      input: path,
    },
  );
}

/** Number of ids for each token up to which ids may have holes. */
const MOST_HOLES = 4;

function assertFewHoles({ directory, ids }: Vocabulary): void {
  const [count, used] = [nextId(ids), new Set(ids.values()).size];
  if (count <= MOST_HOLES * used + 2 ** 12) return;
  throw new InputError(
    `Cannot take the tokenizer of "${directory}" as its ids must not leave so many holes: ${used} ids of ${count} are used, and each would take a row; use another tokenizer`,
    { input: directory },
  );
}

async function openWeights(path: string, directory: string): Promise<Weights> {
  const config = (await readModelConfig(directory)) ?? {};
  const checkpoint = await openCheckpoint(path);
  try {
    const axes = findVocabularyAxes(checkpoint, { config });
    assertRowsFirst(checkpoint, axes);
    const { embedding, head, state } = await examineTiedWeights(checkpoint, axes, config);
    // A head that the config ties to the embedding is not used, and gets the same rows.
    const isApart = state === "apart";
    return { checkpoint, axes, embedding, head: isApart ? head : undefined };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

function assertRowsFirst({ tensors, source }: Checkpoint, axes: VocabularyAxes): void {
  if (axes.size === 0) {
    throw new InputError(
      `Cannot replace the vocabulary of "${source}" as it must have an embedding with a row for each token: no tensor has vocab_size of its config.json as the length of an axis`,
      { input: source },
    );
  }
  for (const [name, axis] of axes) {
    const { shape } = entry(tensors, name, "tensor");
    if (sizeOf(shape.slice(0, axis)) === 1) continue;
    throw new UnsupportedError(
      `Cannot replace the rows of "${name}" of "${source}" as the axis of tokens must be the first: it is axis ${axis} of ${shape.join(" x ")}`,
      { feature: "embeddings in columns" },
    );
  }
}

function planOf([old, fresh]: readonly [Vocabulary, Vocabulary], matches: TokenMatches): VocabularyPlan {
  const count = nextId(fresh.ids);
  return {
    tokens: matches.tokens,
    // The rows of padding are kept: programs that decode speculatively compare sizes of vocabularies.
    size: Math.max(count, fresh.size),
    networks: [
      { name: old.directory, directory: old.directory, rows: matches.rows, size: old.size, ids: old.ids },
    ],
    base: 0,
    rows: new Map(),
    tokenizer: stripTokenizer({ ...fresh, size: count }),
    notes: [],
  };
}

function notesOn([old, fresh]: readonly [Vocabulary, Vocabulary]): readonly string[] {
  const beyond = ({ ids, size }: Vocabulary) => [...ids.values()].filter((id) => id >= size).length;
  const notes: string[] = [];
  const [ofModel, ofDonor] = [beyond(old), beyond(fresh)];
  if (ofModel > 0)
    notes.push(`${ofModel} tokens of "${old.directory}" lie beyond its embedding, and count as absent`);
  if (ofDonor > 0) notes.push(`${ofDonor} tokens of "${fresh.directory}" lie beyond its embedding`);
  const holes = nextId(fresh.ids) - new Set(fresh.ids.values()).size;
  if (holes > 0) notes.push(`${holes} ids of "${fresh.directory}" have no token: they get the mean row`);
  const twins = fresh.ids.size - new Set(fresh.ids.values()).size;
  if (twins > 0)
    notes.push(`${twins} tokens of "${fresh.directory}" have the id of another token, whose row they share`);
  return notes;
}

/** Returns the number of rows of a tensor of the donor. */
export function rowsIn({ checkpoint, axes }: Weights, name: string): number {
  return at(entry(checkpoint.tensors, name, "tensor").shape, entry(axes, name, "axis"));
}
