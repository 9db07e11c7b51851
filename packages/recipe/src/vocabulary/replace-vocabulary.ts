import { at, createFolder, describeMaking, entry, saveCheckpoint, sharedMetadata } from "@isthmus/core";
import { basename } from "@isthmus/platform";
import { assertNoModelFolder, openTokenizer } from "@isthmus/zoo";
import { writeModelFiles } from "../models/write-model-files.ts";
import { openBatchStore, removeBatches } from "./batch-store.ts";
import { combineRows, type NewRows, type ReplacedTensor, type RowCombinations } from "./combine-rows.ts";
import { type OpenedReplacement, openReplacement, rowsIn, type Weights } from "./open-replacement.ts";
import { describeReplacement, freshIds, resolveReplacement, spaceOf } from "./plan-replacement.ts";
import { batchSizeOf, type PursuedTokens, pursueTokens, rowLength } from "./pursue-tokens.ts";
import type { ReplaceVocabularyOptions } from "./replacement-options.ts";
import type { ReplaceVocabularyResult, TokenDistances } from "./replacement-result.ts";
import { splitTokens } from "./split-tokens.ts";
import { summarizeDistances } from "./summarize-distances.ts";

type Resolved = Required<ReplaceVocabularyOptions>;

/**
 * Gives a model the tokenizer of another model, for example to make a draft model for speculative decoding,
 * and saves it as a folder that loads.
 *
 * Rows of embeddings and heads of tokens that both have are copied bit by bit. A new token is, by default,
 * written in the other model's embedding as a combination of the rows of few shared tokens (orthogonal
 * matching pursuit), and gets the same combination of the model's rows. Rows without a token are the mean of
 * the model's rows. The result has as many rows as the other model.
 *
 * Weights are read by range within a limit of memory. Finished approximations are kept in hidden files of
 * the output: the same call goes on after the process was killed, or the signal was aborted.
 *
 * @param model - folder of the model
 * @param donor - folder of the model whose tokenizer it gets
 * @param output - folder of the result
 * @throws InputError if a folder has no tokenizer or no weights, both have no token in common, or the output
 *   is the folder of an input
 * @throws UnsupportedError if tokens are the columns of an embedding
 *
 * Source: Goddard and Fernandes Neto, Training-free tokenizer transplantation via orthogonal matching
 * pursuit, 2025 (arXiv 2506.06607). Differs from mergekit 0.1.5 as `matchPursuit` and `matchTokens` say, and
 * keeps the number of rows of the other model.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mkdir, writeFile } from "node:fs/promises";
 * import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
 * import { replaceVocabulary } from "@isthmus/recipe";
 *
 * async function save(folder: string, words: readonly string[], rows: readonly number[]) {
 *   const embedding = createTensor("f32", [words.length, 2], Float32Array.from(rows));
 *   await mkdir(folder);
 *   const network = createCheckpoint({ "embed_tokens.weight": embedding });
 *   await saveCheckpoint(network, `${folder}/model.safetensors`);
 *   await writeFile(`${folder}/config.json`, JSON.stringify({ vocab_size: words.length }));
 *   const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
 *   const tokenizer = { model: { type: "WordLevel", vocab, unk_token: "the" } };
 *   await writeFile(`${folder}/tokenizer.json`, JSON.stringify(tokenizer));
 * }
 * await save("small", ["the", "cat"], [1, 2, 3, 4]);
 * await save("large", ["cat", "the", "cats"], [1, 0, 0, 1, 2, 0]);
 * const { shared, fresh } = await replaceVocabulary("small", "large", "draft");
 * assert.deepEqual([shared, fresh], [2, 1]);
 * const draft = await openCheckpoint("draft");
 * const { data } = await draft.read("embed_tokens.weight"); // "cats" is twice "cat" in the large model
 * assert.deepEqual([...data].map((x) => Math.round(Number(x) * 1e5) / 1e5), [3, 4, 1, 2, 6, 8]);
 * await draft.close();
 * ```
 */
export async function replaceVocabulary(
  model: string,
  donor: string,
  output: string,
  options: ReplaceVocabularyOptions = {},
): Promise<ReplaceVocabularyResult> {
  const resolved = resolveReplacement(options);
  await assertNoModelFolder(output, [model, donor]);
  const opened = await openReplacement(model, donor, resolved.method === "omp");
  try {
    const described = describeReplacement(opened, resolved);
    for (const note of opened.notes) resolved.onNote?.(note);
    await createFolder(output);
    if (!resolved.resume) await removeBatches(output);
    const spaces = await approximate(opened, output, resolved);
    const saved = await save(opened, spaces, output, resolved);
    await removeBatches(output);
    const distances = [...spaces.values()].flatMap(({ distances }) => distances ?? []);
    return { ...described, distances, ...saved };
  } finally {
    await opened.close();
  }
}

/** New rows of the tensors that share a space of the donor, and the distances of tokens there. */
interface Space {
  readonly rows: NewRows;
  readonly distances: TokenDistances | undefined;
}

/** Approximates the new tokens in each space of the donor; null stands for the model's own rows. */
async function approximate(
  opened: OpenedReplacement,
  output: string,
  options: Resolved,
): Promise<ReadonlyMap<string | null, Space>> {
  const names = new Set([...opened.model.weights.axes.keys()].map((name) => spaceOf(opened, name)));
  const ids = freshIds(opened);
  const spaces = new Map<string | null, Space>();
  let finished = 0;
  for (const name of names) {
    const { weights } = opened.donor;
    spaces.set(
      name,
      name === null || weights === undefined
        ? {
            rows: rowsOf(opened, ids, {
              combinations: await combineOwn(opened, ids, options),
              isMeanIfEmpty: options.method === "subword",
            }),
            distances: undefined,
          }
        : await pursue(
            opened,
            { weights, tensor: name, ids },
            {
              ...options,
              output,
              onShare: (done) =>
                options.onProgress?.({ phase: "approximating", done: (finished + done) / names.size }),
            },
          ),
    );
    finished++;
  }
  return spaces;
}

/** Makes combinations of methods that do not read the donor's weights. */
async function combineOwn(
  opened: OpenedReplacement,
  ids: Int32Array,
  { method }: Resolved,
): Promise<RowCombinations | undefined> {
  if (method === "mean") return undefined;
  const none = {
    offsets: new Int32Array(ids.length + 1),
    rows: new Int32Array(),
    factors: new Float32Array(),
  };
  if (method === "zero") return none;
  const { directory, vocabulary } = opened.model;
  return splitTokens(ids, opened.matches, await openTokenizer(directory), vocabulary.size);
}

interface AssignedCombinations {
  /** A combination for each id; undefined for the mean row of all. */
  readonly combinations: RowCombinations | undefined;
  /** Whether a combination of no rows stands for the mean row, and not for zeros. */
  readonly isMeanIfEmpty: boolean;
}

/** Assigns combinations to ids. */
function rowsOf(
  { matches }: OpenedReplacement,
  ids: Int32Array,
  { combinations, isMeanIfEmpty }: AssignedCombinations,
): NewRows {
  const slots = new Int32Array(matches.rows.length).fill(-1);
  const { offsets } = combinations ?? { offsets: new Int32Array() };
  for (const [slot, id] of ids.entries()) {
    const isEmpty = slot + 1 >= offsets.length || at(offsets, slot) === at(offsets, slot + 1);
    if (combinations !== undefined && !(isEmpty && isMeanIfEmpty)) slots[id] = slot;
  }
  const empty = { offsets: new Int32Array(1), rows: new Int32Array(), factors: new Float32Array() };
  return { rows: matches.rows, slots, combinations: combinations ?? empty };
}

interface SpacePlace {
  readonly weights: Weights;
  readonly tensor: string;
  readonly ids: Int32Array;
}

interface PursueOptions extends Resolved {
  readonly output: string;
  readonly onShare: (done: number) => void;
}

async function pursue(
  opened: OpenedReplacement,
  { weights, tensor, ids }: SpacePlace,
  { output, onShare, ...options }: PursueOptions,
): Promise<Space> {
  const { matches, model } = opened;
  const count = rowsIn(weights, tensor);
  const shared = Int32Array.from(
    [...matches.rows.keys()].filter((id) => id < count && at(matches.rows, id) >= 0),
  );
  const targets = ids.filter((id) => id < count);
  const tokens: PursuedTokens = {
    donor: weights.checkpoint,
    tensor,
    shared,
    sharedRows: shared.map((id) => at(matches.rows, id)),
    targets,
  };
  const { products, byCosine, memory, signal, onNote } = options;
  const most = Math.min(options.neighbours, shared.length);
  const store = await openBatchStore(output, {
    most,
    shared: shared.length,
    files: [...weights.checkpoint.files, ...model.weights.checkpoint.files],
    settings: {
      tokens: [...matches.rows].join(),
      batch: batchSizeOf(rowLength(weights.checkpoint, tensor), most, memory),
      tensor,
      byCosine,
      products: products.name,
    },
  });
  const pursued = await pursueTokens(tokens, {
    products,
    most,
    byCosine,
    memory,
    store,
    signal,
    onNote,
    onProgress: onShare,
  });
  return {
    rows: rowsOf(opened, targets, { combinations: pursued.combinations, isMeanIfEmpty: false }),
    distances: summarizeDistances(tensor, matches, targets, pursued.residuals),
  };
}

/** Saves the weights with their new rows, and the files with which the model is loaded. */
async function save(
  opened: OpenedReplacement,
  spaces: ReadonlyMap<string | null, Space>,
  output: string,
  options: Resolved,
): Promise<Pick<ReplaceVocabularyResult, "output" | "modelFiles">> {
  const { model, donor, plan } = opened;
  const { checkpoint, axes } = model.weights;
  const { ids, size } = model.vocabulary;
  const tokenRows = Int32Array.from(new Set([...ids.values()].filter((id) => id < size))).sort();
  const replaced = new Map<string, ReplacedTensor>();
  for (const [name, axis] of axes) {
    const { rows } = entry(spaces, spaceOf(opened, name), "space");
    replaced.set(name, { ...rows, axis, size: plan.size, tokenRows });
  }
  const { method, neighbours, byCosine, maker, overwrite, maxShardBytes, signal, onProgress } = options;
  const settings = method === "omp" ? { method, neighbours, byCosine } : { method };
  const inputs = [checkpoint, ...(donor.weights === undefined ? [] : [donor.weights.checkpoint])];
  const tokenizer = basename(donor.directory);
  const making = maker && describeMaking(inputs, { verb: "vocabulary", ...maker, ...settings, tokenizer });
  const saved = await saveCheckpoint(
    combineRows(checkpoint, replaced),
    output.endsWith("/") ? output : `${output}/`,
    {
      metadata: { ...sharedMetadata(checkpoint), ...making },
      overwrite,
      maxShardBytes,
      signal,
      onProgress: ({ done }) => onProgress?.({ phase: "writing", done }),
    },
  );
  const networks = [model, donor].map(({ directory }) => ({ name: basename(directory), directory }));
  const { files, notes } = await writeModelFiles(output, {
    base: model.directory,
    networks,
    vocabulary: plan,
    specialTokensOf: donor.directory,
    card: false,
  });
  for (const note of notes) options.onNote?.(note);
  return { output: saved, modelFiles: files };
}
