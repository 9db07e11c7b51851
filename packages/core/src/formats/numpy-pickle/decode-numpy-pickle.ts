import { decodeLatin1, encodeLatin1 } from "@isthmus/platform";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { COST, PickleBudget } from "../torch/pickle/pickle-budget.ts";
import { readPickle } from "../torch/pickle/read-pickle.ts";
import {
  type PickleCall,
  PickleDict,
  PickleGlobal,
  PickleOpaque,
  PickleTuple,
} from "../torch/pickle/values.ts";

/** An array of bytes, pickled by NumPy, in row-major order. */
export interface PickledArray {
  /** Extents, outermost first. */
  readonly shape: readonly number[];
  /** Elements, one byte each. */
  readonly data: Uint8Array;
}

/** A value of a pickled dictionary: an array of bytes, a list, a number or a text. */
export type PickledValue = PickledArray | readonly unknown[] | number | string;

/**
 * Decodes a pickled dictionary of lists, texts and NumPy arrays of bytes, such as the Python version of
 * CIFAR-10, of protocols 2 to 5, of Python 2 or 3. Nothing is imported or run. Bytes outside arrays are
 * decoded as Latin-1 texts; values of other types are left out.
 * @param source - name for messages
 * @throws FormatError if the pickle is damaged, or not a dictionary
 * @throws UnsupportedError if the pickle refers to anything but arrays of bytes
 */
export function decodeNumpyPickle(bytes: Uint8Array, source: string): ReadonlyMap<string, PickledValue> {
  const budget = new PickleBudget(source);
  const host = {
    budget,
    find: (module: string, name: string) => findGlobal(`${module}.${name}`, source),
    load: () => {
      throw damaged(source, "it must hold all of its data: it refers to some outside");
    },
    build(target: unknown, state: unknown) {
      if (target instanceof ArrayShell) target.set(state);
    },
  };
  const { value } = readPickle(bytes, host, source);
  if (!(value instanceof PickleDict)) throw damaged(source, "it must be a dictionary");
  const values = new Map<string, PickledValue>();
  for (const [key, stored] of value.entries) {
    const name = textOf(key);
    const plain = stored instanceof ArrayShell ? stored.array(source) : plainOf(stored);
    if (name !== undefined && plain !== undefined) values.set(name, plain);
  }
  return values;
}

function plainOf(value: unknown): PickledValue | undefined {
  if (Array.isArray(value) || typeof value === "number") return value;
  return textOf(value);
}

/**
 * Converts a value to text: strings of Python 2, bytes of Python 3, and names of either are treated alike.
 */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? decodeLatin1(value) : undefined;
}

/** Array that a call creates empty, and whose content a later operation sets. */
class ArrayShell {
  #state: readonly unknown[] = [];

  /** @param state - version, shape, type, whether the order is Fortran's, and elements */
  set(state: unknown): void {
    if (state instanceof PickleTuple) this.#state = state.items;
  }

  array(source: string): PickledArray {
    const [, extents, type, isColumnMajor, elements] = this.#state;
    const shape = extents instanceof PickleTuple ? extents.items : [];
    if (!(type instanceof PickleOpaque) || !/^[|<>=]?u1$/.test(type.name)) {
      throw new UnsupportedError(
        `Cannot read "${source}" as its arrays must be of bytes: one is of ${type instanceof PickleOpaque ? type.name : "no type"}`,
        { feature: "pickled arrays of other types than bytes" },
      );
    }
    const data = typeof elements === "string" ? encodeLatin1(elements) : elements;
    const size = shape.reduce((product: number, extent) => product * Number(extent), 1);
    if (!(data instanceof Uint8Array) || !shape.every(isExtent) || data.length !== size) {
      const length = data instanceof Uint8Array ? `${data.length} bytes` : "no bytes";
      throw damaged(source, `an array [${shape.join(", ")}] must have as many bytes: it has ${length}`);
    }
    if (isColumnMajor !== true || shape.length < 2) return { shape, data };
    if (shape.length === 2) return { shape, data: transposed(data, shape) };
    throw damaged(source, `an array with columns first must have 2 axes: it has ${shape.length}`);
  }
}

const isExtent = (extent: unknown): extent is number => Number.isSafeInteger(extent) && Number(extent) >= 0;

function transposed(data: Uint8Array, [rows = 0, columns = 0]: readonly number[]): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[row * columns + column] = data[column * rows + row] as number;
    }
  }
  return out;
}

/** Functions and classes from which arrays of bytes are built. */
const CALLS: Readonly<Record<string, PickleCall>> = {
  "multiarray._reconstruct": (_, spend) => {
    spend(COST.object);
    return new ArrayShell();
  },
  "numeric._frombuffer": ([elements, type, shape, order], spend) => {
    spend(COST.object);
    const shell = new ArrayShell();
    shell.set(new PickleTuple([1, shape, type, order === "F", elements]));
    return shell;
  },
  dtype: ([type], spend) => {
    spend(COST.object);
    return new PickleOpaque(typeof type === "string" ? type : "");
  },
};

function findGlobal(full: string, source: string): PickleGlobal {
  const [, name = ""] = /^numpy\.(?:_?core\.)?(.*)$/.exec(full) ?? [];
  if (Object.hasOwn(CALLS, name)) return new PickleGlobal(full, CALLS[name]);
  if (full === "numpy.ndarray") return new PickleGlobal(full);
  if (full === "_codecs.encode") return new PickleGlobal(full, ([text]) => text);
  // Protocol 2 writes empty bytes of Python 3 as a call.
  if (/^(__builtin__|builtins)\.bytes$/.test(full)) return new PickleGlobal(full, () => "");
  throw new UnsupportedError(
    `Cannot read "${source}" as its pickle may name only what arrays of bytes are made of: it names ${full}, which is not run`,
    { feature: full },
  );
}

function damaged(source: string, reason: string): FormatError {
  return new FormatError(`Cannot read the pickle of "${source}" as ${reason}`, { format: "pickle" });
}
