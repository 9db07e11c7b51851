import { InputError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { type ChosenType, chooseTypes } from "./choose-types.ts";
import { describeEncoding, type GgufEncoding } from "./gguf-encodings.ts";
import { GGUF_NUMBERS } from "./gguf-types.ts";
import type { GgufTarget } from "./lay-out-gguf.ts";
import { setEntries } from "./metadata-types.ts";
import type { Importance } from "./read-importance.ts";
import { ggufTarget } from "./write-gguf.ts";

/** Options of {@link planQuantized}. */
export interface QuantizeOptions {
  /** Encoding of the file. */
  readonly encoding: GgufEncoding;
  /** Importance of columns; undefined without. */
  readonly importance: Importance | undefined;
  /** Called with a sentence for each thing that is not as the encoding asks. */
  readonly onNote: ((note: string) => void) | undefined;
}

/** Tensors and metadata of a quantised file. */
export interface QuantizedPlan {
  /** How each tensor is stored, by its name. */
  readonly tensors: Map<string, GgufTarget>;
  /** Metadata, with the origin of the importance if there is one. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Number of the encoding in the metadata. */
  readonly fileType: number;
}

/**
 * Plans how the tensors of a quantised GGUF file are stored.
 * @throws InputError if the importance of a matrix has another number of columns
 * @throws UnsupportedError as {@link ggufTarget}
 */
export function planQuantized(
  infos: ReadonlyMap<string, TensorInfo>,
  metadata: Readonly<Record<string, string>>,
  { encoding, importance, onNote }: QuantizeOptions,
): QuantizedPlan {
  const floats = new Map([...infos].filter(([, { dtype }]) => DTYPES[dtype].float));
  const types = chooseTypes({ tensors: floats, metadata, hasImportance: importance !== undefined }, encoding);
  const tensors = new Map<string, GgufTarget>();
  const unmeasured: string[] = [];
  for (const [name, info] of infos) {
    const chosen = types.get(name);
    const number = chosen && entry(GGUF_NUMBERS, chosen.type, "type");
    const target = ggufTarget(name, info, number ?? kept(info));
    const weights = importance?.columns.get(name);
    const isQuantized = target.type.decoder !== undefined;
    if (isQuantized && importance !== undefined && weights === undefined) unmeasured.push(name);
    tensors.set(
      name,
      isQuantized && weights ? { ...target, importance: fitting(name, info, weights) } : target,
    );
  }
  if (onNote !== undefined) {
    noteFallbacks(types, onNote);
    if (importance !== undefined) noteUnmeasured(unmeasured, importance, onNote);
  }
  return {
    tensors,
    metadata: importance === undefined ? metadata : withOrigin(metadata, importance),
    fileType: describeEncoding(encoding).fileType,
  };
}

/** Type of a tensor that is not quantised: its own, but f32 with one axis, as llama.cpp needs it. */
function kept({ dtype, shape }: TensorInfo): TensorInfo["dtype"] | undefined {
  return DTYPES[dtype].float && shape.length < 2 ? "f32" : undefined;
}

function fitting(name: string, { shape }: TensorInfo, weights: Float32Array): Float32Array | undefined {
  const expected = sizeOf(shape.toSpliced(-2, 1));
  if (weights.length === expected) return weights;
  // The embedding is looked up, so that what is measured of it, if anything, is of the head.
  if (name.endsWith("token_embd.weight")) return undefined;
  throw new InputError(
    `Cannot quantise "${name}" as its importance must have a number for each column, ${expected}: it has ${weights.length}; measure the importance of this model`,
    { input: name },
  );
}

function noteFallbacks(types: ReadonlyMap<string, ChosenType>, note: (text: string) => void): void {
  const others = new Map<string, string[]>();
  for (const [name, { type, instead }] of types) {
    if (instead === undefined) continue;
    const key = `${type} in place of ${instead}`;
    others.set(key, [...(others.get(key) ?? []), name]);
  }
  for (const [change, names] of others)
    note(
      `${listed(names)} ${names.length === 1 ? "is" : "are"} ${change}, whose blocks do not divide its rows.`,
    );
}

function noteUnmeasured(names: readonly string[], { file }: Importance, note: (text: string) => void): void {
  if (names.length > 0) note(`"${file}" has no importance for ${listed(names)}: all columns count as much.`);
}

function listed(names: readonly string[]): string {
  const [first = "", ...others] = names;
  return others.length === 0 ? `"${first}"` : `"${first}" and ${others.length} more`;
}

function withOrigin(
  metadata: Readonly<Record<string, string>>,
  { file, columns, dataset, chunks }: Importance,
): Readonly<Record<string, string>> {
  const named = setEntries(metadata, "string", {
    "quantize.imatrix.file": file,
    "quantize.imatrix.dataset": dataset,
  });
  return setEntries(named, "u32", {
    "quantize.imatrix.entries_count": String(columns.size),
    "quantize.imatrix.chunks_count": chunks > 0 ? String(chunks) : undefined,
  });
}
