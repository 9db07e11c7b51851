import { FormatError, UnsupportedError } from "../../errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { PickleDict, PickleGlobal, PickleOpaque, PickleSet, PickleTuple } from "./pickle/values.ts";
import { createTorchTensor } from "./tensors.ts";

/** Element types by their name in PyTorch. */
const TORCH_DTYPES: Readonly<Record<string, DType>> = {
  float64: "f64",
  float32: "f32",
  float16: "f16",
  bfloat16: "bf16",
  float8_e4m3fn: "f8e4m3",
  float8_e5m2: "f8e5m2",
  int64: "i64",
  int32: "i32",
  int16: "i16",
  int8: "i8",
  uint64: "u64",
  uint32: "u32",
  uint16: "u16",
  uint8: "u8",
  bool: "bool",
};

/** Element types by the class of storage that holds them. */
const STORAGES: Readonly<Record<string, DType>> = {
  DoubleStorage: "f64",
  FloatStorage: "f32",
  HalfStorage: "f16",
  BFloat16Storage: "bf16",
  LongStorage: "i64",
  IntStorage: "i32",
  ShortStorage: "i16",
  CharStorage: "i8",
  ByteStorage: "u8",
  BoolStorage: "bool",
};

/** Names that may occur, as types or as arguments, and are never called. */
const INERT: readonly string[] = [
  "torch.strided",
  "torch.Tensor",
  "torch.nn.parameter.Parameter",
  "torch.contiguous_format",
  "torch.preserve_format",
  ...["int", "float", "str", "bool", "list", "dict", "tuple", "bytes"].flatMap((name) => [
    `builtins.${name}`,
    `__builtin__.${name}`,
  ]),
];

type Call = (args: readonly unknown[]) => unknown;

/** Classes and functions that may be called, as functions that rebuild data and do nothing else. */
function callables(file: string): ReadonlyMap<string, Call> {
  const dictionary: Call = ([pairs]) => dictionaryOf(pairs);
  const set: Call = ([items]) => setOf(items);
  const first: Call = ([value]) => value;
  const opaque =
    (name: string): Call =>
    () =>
      new PickleOpaque(name);
  return new Map<string, Call>([
    ["collections.OrderedDict", dictionary],
    ["collections.Counter", dictionary],
    ["collections.defaultdict", ([, pairs]) => dictionaryOf(pairs)],
    [
      "torch._utils._rebuild_tensor",
      ([storage, offset, shape, strides]) => createTorchTensor({ storage, offset, shape, strides }, file),
    ],
    [
      "torch._utils._rebuild_tensor_v2",
      ([storage, offset, shape, strides]) => createTorchTensor({ storage, offset, shape, strides }, file),
    ],
    [
      "torch._utils._rebuild_tensor_v3",
      ([storage, offset, shape, strides, , , dtype]) =>
        createTorchTensor({ storage, offset, shape, strides, dtype: dtypeOf(dtype) }, file),
    ],
    ["torch._utils._rebuild_parameter", first],
    ["torch._utils._rebuild_parameter_with_state", first],
    ["torch._tensor._rebuild_from_type_v2", ([rebuild, , args]) => rebuildFromType(rebuild, args, file)],
    [
      "torch.Size",
      ([items]) =>
        items instanceof PickleTuple ? items : new PickleTuple(Array.isArray(items) ? items : []),
    ],
    ["torch.device", opaque("torch.device")],
    ["torch.serialization._get_layout", opaque("torch.layout")],
    ["_codecs.encode", ([text]) => text],
    ["builtins.complex", opaque("complex")],
    ["__builtin__.complex", opaque("complex")],
    ["builtins.bytearray", first],
    ["__builtin__.bytearray", first],
    ["builtins.set", set],
    ["__builtin__.set", set],
    ["builtins.frozenset", set],
    ["__builtin__.frozenset", set],
  ]);
}

/** A dtype such as `torch.float32`, which is a global of its own. */
class TorchDType extends PickleGlobal {
  readonly dtype: DType;
  constructor(name: string, dtype: DType) {
    super(name);
    this.dtype = dtype;
  }
}

/** A class of storages, which only occurs in persistent ids: `torch.FloatStorage`. */
export class TorchStorageClass extends PickleGlobal {
  /** Undefined for an untyped storage. */
  readonly dtype: DType | undefined;
  constructor(name: string, dtype: DType | undefined) {
    super(name);
    this.dtype = dtype;
  }
}

/**
 * Makes the lookup of names for the pickles of one file: the list of all that is allowed.
 * @param file - for messages
 */
export function createGlobalFinder(file: string): (module: string, name: string) => PickleGlobal {
  const calls = callables(file);
  return (module, name) => {
    const full = `${module}.${name}`;
    const call = calls.get(full);
    if (call !== undefined) return new PickleGlobal(full, call);
    const dtype = module === "torch" ? lookUp(TORCH_DTYPES, name) : undefined;
    if (dtype !== undefined) return new TorchDType(full, dtype);
    const stored = module === "torch" ? lookUp(STORAGES, name) : undefined;
    if (stored !== undefined) return new TorchStorageClass(full, stored);
    if (full === "torch.storage.UntypedStorage") return new TorchStorageClass(full, undefined);
    if (INERT.includes(full)) return new PickleGlobal(full);
    throw new UnsupportedError(
      `Cannot read "${file}" as its pickle may name only what tensors are made of: it names ${full}, which is not run; ` +
        "if you trust the file, load it in PyTorch and save model.state_dict() alone",
      { feature: full },
    );
  };
}

function lookUp(table: Readonly<Record<string, DType>>, name: string): DType | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function dtypeOf(value: unknown): DType | undefined {
  return value instanceof TorchDType ? value.dtype : undefined;
}

function dictionaryOf(pairs: unknown): PickleDict {
  const dictionary = new PickleDict();
  if (pairs instanceof PickleDict)
    for (const [key, value] of pairs.entries) dictionary.entries.set(key, value);
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    const [key, value] = pair instanceof PickleTuple ? pair.items : Array.isArray(pair) ? pair : [];
    dictionary.entries.set(key, value);
  }
  return dictionary;
}

function setOf(items: unknown): PickleSet {
  const set = new PickleSet();
  for (const item of Array.isArray(items) ? items : []) set.items.push(item);
  return set;
}

/** A tensor with attributes: they are left out. */
function rebuildFromType(rebuild: unknown, args: unknown, file: string): unknown {
  if (rebuild instanceof PickleGlobal && rebuild.call !== undefined && args instanceof PickleTuple) {
    return rebuild.call(args.items);
  }
  throw new FormatError(
    `Cannot read "${file}" as a tensor must be rebuilt by a function from a tuple: one is not`,
    {
      format: "torch",
    },
  );
}
