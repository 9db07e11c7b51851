import { FormatError } from "../../errors.ts";
import { MAX_NESTING, MAX_SEARCHED_ENTRIES, MAX_TENSORS } from "../../io/limits.ts";
import { PickleDict, PickleTuple } from "./pickle/values.ts";
import { isTorchTensor, type TorchTensor } from "./tensors.ts";

/** Keys under which training scripts store the weights, beside an epoch, an optimizer and so on. */
const WRAPPERS: readonly unknown[] = ["state_dict", "model_state_dict", "model", "module", "app"];

/** Name of a tensor that was saved without a container. */
const LONE_NAME = "tensor";

/**
 * Finds the tensors in a saved value; their names are the keys on the path to them, joined by dots.
 *
 * A wrapper such as `state_dict` or `model` is not part of names unless other entries contain tensors, too;
 * the state of an optimizer, scheduler or random generator beside the weights does not count and is left out.
 * Values that are neither tensors nor containers are ignored.
 * @param file - name of the file, for messages
 * @throws FormatError if there are too many tensors or levels, or two tensors have the same name.
 */
export function collectTensors(value: unknown, file: string): Map<string, TorchTensor> {
  return collectLeaves(value, file, isTorchTensor);
}

/**
 * Finds values of one kind as {@link collectTensors} finds tensors.
 * @param isLeaf - checks whether a value is of that kind
 */
export function collectLeaves<T extends object>(
  value: unknown,
  file: string,
  isLeaf: (value: unknown) => value is T,
): Map<string, T> {
  const search = new Search(file, isLeaf);
  if (isLeaf(value)) search.found.set(LONE_NAME, value);
  else search.visit(unwrap(value, new Search(file, isLeaf)), "", 0);
  return search.found;
}

/** Returns the value inside all wrappers, without training states that are saved beside it. */
function unwrap<T extends object>(value: unknown, probe: Search<T>): unknown {
  let current = value;
  for (let level = 0; level < MAX_NESTING; level++) {
    if (!(current instanceof PickleDict)) return current;
    const entries = [...current.entries];
    // Beside a container of weights, a tensor may also be a
    // state; in a plain state dict, "scaler" is a layer.
    const isPlain = entries.every(([, entry]) => probe.isLeaf(entry) || !probe.holdsTensors(entry, 0));
    const candidates = entries.filter(([key]) => isPlain || typeof key !== "string" || !isTrainingState(key));
    const holders = candidates.filter(([, entry]) => probe.holdsTensors(entry, 0));
    const [only] = holders;
    if (only === undefined) return current;
    if (holders.length > 1 || !WRAPPERS.includes(only[0]) || probe.isLeaf(only[1])) {
      const remaining = new PickleDict();
      for (const [key, entry] of candidates) remaining.entries.set(key, entry);
      return remaining;
    }
    current = only[1];
  }
  return current;
}

class Search<T extends object> {
  readonly found: Map<string, T> = new Map();
  readonly isLeaf: (value: unknown) => value is T;
  readonly #file: string;
  #entries = 0;

  constructor(file: string, isLeaf: (value: unknown) => value is T) {
    this.#file = file;
    this.isLeaf = isLeaf;
  }

  visit(value: unknown, path: string, level: number): void {
    this.#someEntry(value, level, (entry, key) => {
      const name = path === "" ? String(key) : `${path}.${key}`;
      if (this.isLeaf(entry)) this.#add(name, entry);
      else this.visit(entry, name, level + 1);
      return false;
    });
  }

  holdsTensors(value: unknown, level: number): boolean {
    return (
      this.isLeaf(value) || this.#someEntry(value, level, (entry) => this.holdsTensors(entry, level + 1))
    );
  }

  /**
   * Checks whether a named entry of a container, which is a leaf or a container that is not empty, passes a
   * test, and ends with the first that does. It is no generator, as hostile files have millions of entries.
   */
  #someEntry(value: unknown, level: number, test: (entry: object, key: string | number) => boolean): boolean {
    const size = sizeOf(value);
    if (size === 0) return false;
    this.#entries += size;
    if (level >= MAX_NESTING)
      throw this.#error(`containers may be nested ${MAX_NESTING} deep: there are more levels`);
    if (this.#entries > MAX_SEARCHED_ENTRIES) {
      throw this.#error(
        `containers may have ${MAX_SEARCHED_ENTRIES} entries, each time they occur: there are more`,
      );
    }
    if (value instanceof PickleDict) {
      for (const [key, entry] of value.entries) {
        const isNamed = typeof key === "string" || typeof key === "number";
        if (isNamed && this.#counts(entry) && test(entry, key)) return true;
      }
      return false;
    }
    const items = itemsOf(value);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (this.#counts(item) && test(item, i)) return true;
    }
    return false;
  }

  #counts(entry: unknown): entry is object {
    return this.isLeaf(entry) || sizeOf(entry) > 0;
  }

  #add(name: string, tensor: T): void {
    if (this.found.has(name)) throw this.#error(`names of tensors must differ: "${name}" is there twice`);
    if (this.found.size >= MAX_TENSORS)
      throw this.#error(`there may be ${MAX_TENSORS} tensors: there are more`);
    this.found.set(name, tensor);
  }

  #error(problem: string): FormatError {
    return new FormatError(`Cannot read "${this.#file}" as ${problem}`, { format: "torch" });
  }
}

function itemsOf(value: unknown): readonly unknown[] {
  return value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : [];
}

function sizeOf(value: unknown): number {
  return value instanceof PickleDict ? value.entries.size : itemsOf(value).length;
}

/** Parts of names under which training scripts store optimizers, schedules, scalers and random generators. */
const TRAINING_PARTS =
  /^(optim|optimizer\w*|opt|opt_state|lr_?sched\w*|sched|scheduler\w*|scaler|grad_scaler|amp|rng\w*|random\w*|exp_avg\w*|max_exp_avg_sq|momentum_buffer)$/i;

/**
 * Checks by its name whether a tensor is a training state, which is not part of a network and must not be
 * merged.
 */
export function isTrainingState(name: string): boolean {
  return name.split(".").some((part) => TRAINING_PARTS.test(part));
}
