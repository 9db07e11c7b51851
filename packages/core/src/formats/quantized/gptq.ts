import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { at, entry } from "../../invariant.ts";
import { findZeroOffset } from "./find-zero-offset.ts";
import { readPacked } from "./kernels/unpack-integers.ts";
import { checkPart, damaged, FLOATS, keepPart, type PackedWeight, unsupported } from "./packed-weight.ts";
import type { QuantizationSettings } from "./quantization-settings.ts";
import {
  createIntegerReader,
  describeGroups,
  type ScaledIntegers,
  unpackColumns,
} from "./scaled-integers.ts";

/** Numbers of bits that weights of GPTQ have. */
const GPTQ_BITS: readonly number[] = [2, 3, 4, 8];

/**
 * Returns the position, in units of 4 bits, of an output in the words of AWQ: words hold eight outputs in the
 * order 0 2 4 6 1 3 5 7.
 */
function awqPlaceOf(output: number): number {
  return (output & ~7) + ((output & 7) >> 1) + (output & 1) * 4;
}

/** Tensors of one weight, with the sizes that they agree on. */
interface Parts {
  readonly name: string;
  readonly qweight: string;
  readonly qzeros: string;
  readonly scales: string;
  readonly groups: string | undefined;
  readonly groupCount: number;
  readonly outputs: number;
  /** Rows and columns of the 32-bit words. */
  readonly words: readonly [rows: number, columns: number];
}

/**
 * Finds the weights of GPTQ and AWQ: `x.qweight`, `x.qzeros` and `x.scales`, and for GPTQ mostly `x.g_idx`.
 *
 * A weight `[outputs, inputs]` is stored transposed. GPTQ packs 2, 3, 4 or 8 bits along the inputs, AWQ
 * packs 4 bits along the outputs in the order 0 2 4 6 1 3 5 7. A number is (integer - zero) times scale, in
 * the type of the scales. Files of GPTQ store zeros less 1, unless `checkpoint_format` of the settings is
 * `gptq_v2`; of a file without settings its numbers tell, see {@link findZeroOffset}.
 * @throws FormatError if parts are missing or contradict each other or the settings
 * @throws UnsupportedError if the words are packed in another way, such as Marlin's or AWQ's GEMV
 * @see https://github.com/ModelCloud/GPTQModel, `nn_modules/qlinear`
 * @see https://github.com/casper-hansen/AutoAWQ, `awq/utils/packing_utils.py`
 */
export async function findGptqAndAwq(
  checkpoint: Checkpoint,
  settings: QuantizationSettings,
): Promise<readonly PackedWeight[]> {
  const read = createIntegerReader(checkpoint);
  const readSecond = createIntegerReader(checkpoint);
  let offset: Promise<0 | 1> | undefined;
  const readWords = keepPart(checkpoint);
  const names = [...checkpoint.tensors.keys()].filter((name) => name.endsWith(".qweight"));
  return names.map((name) => {
    const parts = collectParts(checkpoint, name);
    const isAwq = parts.groups === undefined && parts.words[1] * 8 === parts.outputs;
    const words = async (): Promise<Int32Array> => (await readWords(name)) as Int32Array;
    const context = { checkpoint, parts, settings, words };
    if (isAwq) return read(awqOf(context));
    const isSaid = Object.keys(settings).length > 0;
    const isSecond = settings["checkpoint_format"] === "gptq_v2";
    const first = read(gptqOf(context, isSecond ? 0 : 1));
    if (isSaid) return first;
    const second = readSecond(gptqOf(context, 0));
    return {
      ...first,
      // Numbers are looked at when they are read, as headers alone may be at hand.
      async fill(begin, out) {
        offset ??= findZeroOffset(checkpoint, first, { ...parts, bits: bitsOf(checkpoint, parts) });
        return ((await offset) === 1 ? first : second).fill(begin, out);
      },
    };
  });
}

function collectParts(checkpoint: Checkpoint, qweight: string): Parts {
  const stem = qweight.slice(0, -".qweight".length);
  const [qzeros, scales, g] = [`${stem}.qzeros`, `${stem}.scales`, `${stem}.g_idx`];
  const [rows = 0, columns = 0] = checkPart(checkpoint, qweight, { dtypes: ["i32"], rank: 2 }).shape;
  const [groupCount = 0, outputs = 0] = checkPart(checkpoint, scales, { dtypes: FLOATS, rank: 2 }).shape;
  checkPart(checkpoint, qzeros, { dtypes: ["i32"], rank: 2 });
  const groups = checkpoint.tensors.has(g) ? g : undefined;
  if (groupCount > 0 && outputs > 0 && rows > 0 && columns > 0)
    return {
      name: `${stem}.weight`,
      qweight,
      qzeros,
      scales,
      groups,
      groupCount,
      outputs,
      words: [rows, columns],
    };
  throw damaged(checkpoint.source, `"${qweight}" and "${scales}" must have elements`);
}

interface WeightContext {
  readonly checkpoint: Checkpoint;
  readonly parts: Parts;
  readonly settings: QuantizationSettings;
  readonly words: () => Promise<Int32Array>;
}

function gptqOf({ checkpoint, parts, settings, words }: WeightContext, offset: 0 | 1): ScaledIntegers {
  const { qweight, qzeros, scales, groups, groupCount, outputs } = parts;
  const [rows, columns] = parts.words;
  const { source } = checkpoint;
  if (columns !== outputs) {
    throw unsupported(
      source,
      "packed integers of an unknown order",
      `"${qweight}" must have as many columns as "${scales}" (GPTQ), or an eighth (AWQ): ${columns} and ${outputs}`,
    );
  }
  const inputs =
    groups === undefined ? undefined : checkPart(checkpoint, groups, { dtypes: ["i32"], rank: 1 }).shape[0];
  const bits = bitsOf(checkpoint, parts, inputs);
  assertSaid(source, settings, { method: "gptq", bits });
  const length = inputs ?? (rows * 32) / bits;
  checkPart(checkpoint, qzeros, { dtypes: ["i32"], shape: [groupCount, Math.ceil((outputs * bits) / 32)] });
  if (!Number.isInteger(length) || (groups === undefined && length % groupCount !== 0))
    throw damaged(source, `${length} columns of "${qweight}" must be a multiple of ${groupCount} groups`);
  return {
    ...parts,
    codes: qweight,
    shape: [outputs, length],
    stored: describeGroups("GPTQ", bits, length, groupCount),
    zeros: {
      name: qzeros,
      unpack: (list) =>
        unpackColumns(list as Int32Array, { rows: groupCount, columns: outputs, bits, offset }),
    },
    async load() {
      const list = await words();
      return (input, output) => {
        const bit = input * bits;
        return readPacked(list, {
          word: (bit >>> 5) * outputs + output,
          step: outputs,
          shift: bit & 31,
          bits,
        });
      };
    },
  };
}

/** Finds the number of bits that the sizes of the words, the zeros and the groups agree on. */
function bitsOf(checkpoint: Checkpoint, { qweight, qzeros, outputs, words }: Parts, inputs?: number): number {
  const zeros = at(entry(checkpoint.tensors, qzeros, "tensor").shape, 1, "size");
  const bits = GPTQ_BITS.find(
    (count) =>
      Math.ceil((outputs * count) / 32) === zeros &&
      (inputs === undefined || inputs * count === words[0] * 32),
  );
  if (bits !== undefined) return bits;
  const length = inputs === undefined ? "" : ` and ${inputs} columns in its "g_idx"`;
  throw damaged(
    checkpoint.source,
    `integers must have ${GPTQ_BITS.join(", ")} bits: "${qweight}" has ${words[0]} rows of words, "${qzeros}" ${zeros} columns for ${outputs} rows${length}`,
  );
}

function awqOf({ checkpoint, parts, settings, words }: WeightContext): ScaledIntegers {
  const { qweight, qzeros, groupCount, outputs } = parts;
  const [inputs, columns] = parts.words;
  const { source } = checkpoint;
  const bits = 4;
  assertSaid(source, settings, { method: "awq", bits });
  const version = settings["quant_method"] === "awq" ? (settings["version"] ?? "gemm") : "gemm";
  if (String(version).toLowerCase() !== "gemm") {
    throw unsupported(
      source,
      `AWQ ${String(version)}`,
      `AWQ must be of version "gemm": config.json says ${JSON.stringify(version)}`,
    );
  }
  checkPart(checkpoint, qzeros, { dtypes: ["i32"], shape: [groupCount, columns] });
  if (inputs % groupCount !== 0)
    throw damaged(source, `${inputs} columns of "${qweight}" must be a multiple of ${groupCount} groups`);
  return {
    ...parts,
    codes: qweight,
    shape: [outputs, inputs],
    stored: describeGroups("AWQ", bits, inputs, groupCount),
    zeros: {
      name: qzeros,
      unpack: (list) =>
        unpackColumns(
          list as Int32Array,
          { rows: groupCount, columns: outputs, bits, offset: 0 },
          awqPlaceOf,
        ),
    },
    async load() {
      const list = await words();
      return (input, output) => {
        const place = awqPlaceOf(output);
        return readPacked(list, {
          word: input * columns + (place >>> 3),
          step: 1,
          shift: 4 * (place & 7),
          bits,
        });
      };
    },
  };
}

/** Checks that the settings beside the weights do not name another number of bits. */
function assertSaid(
  source: string,
  settings: QuantizationSettings,
  { method, bits }: { readonly method: string; readonly bits: number },
): void {
  const said = settings["bits"] ?? settings["w_bit"];
  const isMeant = settings["quant_method"] === undefined || settings["quant_method"] === method;
  // Models may have layers of several numbers of bits, which `dynamic` of GPTQModel lists.
  if (!isMeant || said === undefined || said === bits || settings["dynamic"] !== undefined) return;
  throw damaged(
    source,
    `its integers have ${bits} bits by their sizes: the settings beside it say ${JSON.stringify(said)}`,
  );
}
