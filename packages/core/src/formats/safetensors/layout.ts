import { compareBytes, encodeUtf8 } from "@isthmus/platform";
import { entry } from "../../invariant.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { byteLengthOf, type TensorInfo } from "../../tensor/tensor.ts";
import { PREFIX_BYTES, type StoredTensor } from "./header.ts";

/** Header bytes and positions of all tensors of a safetensors file that is to be written. */
export interface SafetensorsLayout {
  /** First bytes of the file: length prefix and JSON, padded with spaces to a multiple of 8 bytes. */
  readonly header: Uint8Array;
  /** Tensors in the order of their bytes, which leave no gaps and are aligned to the element size. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Size of the whole file in bytes. */
  readonly size: number;
}

/** Order in which the reference implementation writes element types, the widest first. */
const ORDER: readonly DType[] = [
  "u64",
  "i64",
  "f64",
  "f32",
  "u32",
  "i32",
  "bf16",
  "f16",
  "u16",
  "i16",
  "f8e4m3",
  "f8e5m2",
  "i8",
  "u8",
  "bool",
];

/**
 * Lays out a safetensors file byte for byte as the reference implementation does: by element type, widest
 * first, then by name in UTF-8 order; metadata keys sorted.
 */
export function layOutSafetensors(
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const sorted = [...tensors].map(([name, info]) => ({ name, info, key: encodeUtf8(name) }));
  sorted.sort(
    (a, b) => ORDER.indexOf(a.info.dtype) - ORDER.indexOf(b.info.dtype) || compareBytes(a.key, b.key),
  );
  const offsets = new Map<string, readonly [number, number]>();
  let position = 0;
  for (const { name, info } of sorted) {
    const end = position + byteLengthOf(info);
    offsets.set(name, [position, end]);
    position = end;
  }
  const header = encodeHeader(tensors, offsets, metadata);
  const stored = new Map<string, StoredTensor>();
  for (const { name, info } of sorted) {
    const [begin, end] = entry(offsets, name, "tensor");
    const { dtype, shape } = info;
    stored.set(name, { dtype, shape, begin: header.length + begin, end: header.length + end });
  }
  return { header, tensors: stored, size: header.length + position };
}

function encodeHeader(
  tensors: ReadonlyMap<string, TensorInfo>,
  offsets: ReadonlyMap<string, readonly [number, number]>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  // Entries are joined here, as an object would move names that look like integers to the front.
  const entries: string[] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    entries.push(`"__metadata__":{${pairs.join(",")}}`);
  }
  for (const [name, data_offsets] of offsets) {
    const { dtype, shape } = entry(tensors, name, "tensor");
    const description = { dtype: DTYPES[dtype].safetensors, shape, data_offsets };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(description)}`);
  }
  const json = encodeUtf8(`{${entries.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(PREFIX_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, PREFIX_BYTES);
  return header;
}
