import { concatBytes, encodeUtf8 } from "@isthmus/platform";
import type { FileWriter } from "../../save/file-writer.ts";
import type { DType } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf } from "../../tensor/shape.ts";
import { byteLengthOf, type TensorInfo } from "../../tensor/tensor.ts";
import { createZipWriter } from "../zip/zip-writer.ts";

/** Classes of storages; other types are in untyped storages, and their tensors state the type. */
const STORAGES: Readonly<Partial<Record<DType, string>>> = {
  f64: "DoubleStorage",
  f32: "FloatStorage",
  f16: "HalfStorage",
  bf16: "BFloat16Storage",
  i64: "LongStorage",
  i32: "IntStorage",
  i16: "ShortStorage",
  i8: "CharStorage",
  u8: "ByteStorage",
  bool: "BoolStorage",
};

/** PyTorch names of types without a class of storages. */
const TYPES: Readonly<Partial<Record<DType, string>>> = {
  u16: "uint16",
  u32: "uint32",
  u64: "uint64",
  f8e4m3: "float8_e4m3fn",
  f8e5m2: "float8_e5m2",
};

/** Folder that contains all files of the archive. */
const ROOT = "archive";

/** Estimates the size of a PyTorch file in bytes. */
export function torchBytes(tensors: ReadonlyMap<string, TensorInfo>): number {
  let bytes = 1000;
  for (const [name, info] of tensors) bytes += byteLengthOf(info) + 700 + 3 * name.length;
  return bytes;
}

/**
 * Writes tensors as the dictionary that `torch.save(model.state_dict())` writes, which `torch.load` reads
 * with `weights_only=True`, its default since PyTorch 2.6.
 */
export async function writeTorch(
  tensors: ReadonlyMap<string, TensorInfo>,
  writer: FileWriter,
): Promise<void> {
  const archive = createZipWriter(writer);
  await archive.add({ name: `${ROOT}/data.pkl`, head: encodePickle(tensors) });
  await archive.add({ name: `${ROOT}/byteorder`, head: encodeUtf8("little") });
  let key = 0;
  for (const [name, info] of tensors)
    await archive.add({
      name: `${ROOT}/data/${key++}`,
      head: new Uint8Array(0),
      tensor: { name, ...info },
    });
  await archive.add({ name: `${ROOT}/version`, head: encodeUtf8("3\n") });
  await archive.finish();
}

/** Encodes the dictionary as a pickle of protocol 2. */
function encodePickle(tensors: ReadonlyMap<string, TensorInfo>): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x80, 2), encodeUtf8("}(")];
  let key = 0;
  for (const [name, info] of tensors) parts.push(encodeText(name), encodeTensor(info, String(key++)));
  return concatBytes([...parts, encodeUtf8("u.")]);
}

/** Encodes a call of the function that builds a tensor on a storage. */
function encodeTensor(info: TensorInfo, key: string): Uint8Array {
  const { dtype, shape } = info;
  const storage = STORAGES[dtype];
  const version = storage === undefined ? "v3" : "v2";
  const isTyped = storage !== undefined;
  return concatBytes([
    encodeGlobal("torch._utils", `_rebuild_tensor_${version}`),
    encodeTuple([
      encodeStorage(isTyped ? ["torch", storage] : ["torch.storage", "UntypedStorage"], key, {
        count: isTyped ? sizeOf(shape) : byteLengthOf(info),
      }),
      encodeInteger(0),
      encodeTuple(shape.map(encodeInteger)),
      encodeTuple(stridesOf(shape).map(encodeInteger)),
      // The tensor requires no gradient, and has no hooks.
      Uint8Array.of(0x89),
      concatBytes([encodeGlobal("collections", "OrderedDict"), encodeUtf8(")R")]),
      ...(isTyped ? [] : [encodeGlobal("torch", TYPES[dtype] ?? dtype)]),
    ]),
    encodeUtf8("R"),
  ]);
}

/** Encodes the reference to a file that contains elements. */
function encodeStorage(
  [module, name]: readonly [string, string],
  key: string,
  { count }: { readonly count: number },
): Uint8Array {
  const id = [encodeText("storage"), encodeGlobal(module, name), encodeText(key), encodeText("cpu")];
  return concatBytes([encodeTuple([...id, encodeInteger(count)]), encodeUtf8("Q")]);
}

function encodeTuple(items: readonly Uint8Array[]): Uint8Array {
  return concatBytes([encodeUtf8("("), ...items, encodeUtf8("t")]);
}

function encodeGlobal(module: string, name: string): Uint8Array {
  return encodeUtf8(`c${module}\n${name}\n`);
}

function encodeText(text: string): Uint8Array {
  const bytes = encodeUtf8(text);
  const head = encodeUtf8("X....");
  new DataView(head.buffer).setUint32(1, bytes.length, true);
  return concatBytes([head, bytes]);
}

/** Encodes a non-negative whole number: in four bytes, or as a long integer of eight. */
function encodeInteger(value: number): Uint8Array {
  if (value < 2 ** 31) {
    const short = encodeUtf8("J....");
    new DataView(short.buffer).setInt32(1, value, true);
    return short;
  }
  const long = new Uint8Array(10);
  long[0] = 0x8a;
  long[1] = 8;
  new DataView(long.buffer).setBigInt64(2, BigInt(value), true);
  return long;
}
