import { FormatError, UnsupportedError } from "../../errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { COST } from "./pickle/pickle-budget.ts";
import { buildRecord, recordClass } from "./pickle/pickle-record.ts";
import {
  type PickleCall,
  PickleDict,
  PickleGlobal,
  PickleOpaque,
  PickleSet,
  PickleTuple,
  type SpendSteps,
} from "./pickle/values.ts";
import { createTorchTensor, type TensorParts, type TorchTensor } from "./tensors.ts";

/** PyTorch function that rebuilds tensors of subclasses, such as parameters with attributes. */
const REBUILD_FROM_TYPE = "torch._tensor._rebuild_from_type_v2";

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

/** Element types by the class of their storage. */
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

/** Names that may occur as types or as arguments, and are never called. */
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

/** Returns the classes and functions that may be called, as functions that only rebuild data. */
function callables(file: string): ReadonlyMap<string, PickleCall> {
  const dictionary: PickleCall = ([pairs], spend) => dictionaryOf(pairs, spend);
  const set: PickleCall = ([items], spend) => setOf(items, spend);
  const first: PickleCall = ([value]) => value;
  const rebuild = (parts: TensorParts, spend: SpendSteps): TorchTensor => {
    spend(COST.tensor + (parts.shape instanceof PickleTuple ? parts.shape.items.length : 0));
    return createTorchTensor(parts, file);
  };
  const tensor: PickleCall = ([storage, offset, shape, strides], spend) =>
    rebuild({ storage, offset, shape, strides }, spend);
  const opaque =
    (name: string): PickleCall =>
    (_, spend) => {
      spend(COST.object);
      return new PickleOpaque(name);
    };
  return new Map<string, PickleCall>([
    ["collections.OrderedDict", dictionary],
    ["collections.Counter", dictionary],
    ["collections.defaultdict", ([, pairs], spend) => dictionaryOf(pairs, spend)],
    ["torch._utils._rebuild_tensor", tensor],
    ["torch._utils._rebuild_tensor_v2", tensor],
    [
      "torch._utils._rebuild_tensor_v3",
      ([storage, offset, shape, strides, , , dtype], spend) =>
        rebuild({ storage, offset, shape, strides, dtype: dtypeOf(dtype) }, spend),
    ],
    ["torch._utils._rebuild_parameter", first],
    ["torch._utils._rebuild_parameter_with_state", first],
    [
      REBUILD_FROM_TYPE,
      ([call, , args, state], spend) => {
        const tensor = rebuildFromType(call, args, { file, spend });
        buildRecord(tensor, state);
        return tensor;
      },
    ],
    [
      "torch.Size",
      ([items], spend) => {
        spend(COST.object);
        return items instanceof PickleTuple ? items : new PickleTuple(Array.isArray(items) ? items : []);
      },
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

/** A dtype such as `torch.float32`, which is a global. */
class TorchDType extends PickleGlobal {
  readonly dtype: DType;
  constructor(name: string, dtype: DType) {
    super(name);
    this.dtype = dtype;
  }
}

/** A class of storages, such as `torch.FloatStorage`, which occurs only in persistent ids. */
export class TorchStorageClass extends PickleGlobal {
  /** Element type of the storages; undefined for untyped storages. */
  readonly dtype: DType | undefined;
  constructor(name: string, dtype: DType | undefined) {
    super(name);
    this.dtype = dtype;
  }
}

/**
 * Makes the function that looks up names in the pickles of one file, in the list of all allowed names.
 * @param file - name of the file, for messages
 * @param otherwise - makes the global of a name that is not in the list. @defaultValue throws
 *   UnsupportedError
 */
export function createGlobalFinder(
  file: string,
  otherwise: (name: string) => PickleGlobal = refuse(file),
): (module: string, name: string) => PickleGlobal {
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
    return otherwise(full);
  };
}

/** Makes the function that refuses names outside the list. */
function refuse(file: string): (name: string) => never {
  return (full) => {
    throw new UnsupportedError(
      `Cannot read "${file}" as its pickle may name only what tensors are made of: it names ${full}, which is not run; ` +
        "if you trust the file, load it in PyTorch and save model.state_dict() alone",
      { feature: full },
    );
  };
}

/**
 * Makes the function that looks up names in pickles that hold settings of a training program beside tensors:
 * objects of classes outside the list of allowed names are records, of which no code is run.
 */
export function createSettingsFinder(file: string): (module: string, name: string) => PickleGlobal {
  return createGlobalFinder(file, (name) => (GETATTR.includes(name) ? nestedClass(name) : recordClass(name)));
}

/** Function by which pickles name a class within a class, in Python 2's and 3's names. */
const GETATTR: readonly string[] = ["__builtin__.getattr", "builtins.getattr"];

/** Makes the global of that function, which gives the class of records, and looks nothing up. */
function nestedClass(name: string): PickleGlobal {
  return new PickleGlobal(name, ([owner, attribute], spend) => {
    spend(COST.object);
    const outer = owner instanceof PickleGlobal ? owner.name : name;
    return recordClass(`${outer}.${typeof attribute === "string" ? attribute : ""}`);
  });
}

/** Returns the element type of a name of PyTorch or NumPy, such as `float32`; undefined for other names. */
export function dtypeNamed(name: string): DType | undefined {
  return lookUp(TORCH_DTYPES, name);
}

function lookUp(table: Readonly<Record<string, DType>>, name: string): DType | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Returns the element type that a global such as `torch.float32` names; undefined for any other value. */
export function dtypeOf(value: unknown): DType | undefined {
  return value instanceof TorchDType ? value.dtype : undefined;
}

function dictionaryOf(pairs: unknown, spend: SpendSteps): PickleDict {
  spend(COST.dictionary);
  const dictionary = new PickleDict();
  if (pairs instanceof PickleDict) {
    spend(COST.entry * pairs.entries.size);
    for (const [key, value] of pairs.entries) dictionary.entries.set(key, value);
  }
  const list: readonly unknown[] = Array.isArray(pairs) ? pairs : [];
  spend(COST.entry * list.length);
  for (const pair of list) {
    const [key, value] = pair instanceof PickleTuple ? pair.items : Array.isArray(pair) ? pair : [];
    dictionary.entries.set(key, value);
  }
  return dictionary;
}

function setOf(items: unknown, spend: SpendSteps): PickleSet {
  const list: readonly unknown[] = Array.isArray(items) ? items : [];
  spend(COST.object + COST.entry * list.length);
  const set = new PickleSet();
  for (const item of list) set.items.push(item);
  return set;
}

/** Rebuilds a tensor with attributes, which are dropped unless it is a record. */
function rebuildFromType(
  rebuild: unknown,
  args: unknown,
  { file, spend }: { readonly file: string; readonly spend: SpendSteps },
): unknown {
  if (rebuild instanceof PickleGlobal && rebuild.call !== undefined && args instanceof PickleTuple) {
    // PyTorch never wraps a wrapped tensor; nested wrappers could exhaust the stack.
    if (rebuild.name !== REBUILD_FROM_TYPE) return rebuild.call(args.items, spend);
  }
  throw new FormatError(
    `Cannot read "${file}" as a tensor must be rebuilt by a function from a tuple: one is not`,
    { format: "torch" },
  );
}
