import { FormatError, UnsupportedError } from "../../../errors.ts";
import { MAX_PICKLE_INTEGER_BYTES } from "../../../io/limits.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { COST, type PickleBudget } from "./pickle-budget.ts";
import { PickleDict, PickleGlobal, PickleSet, PickleTuple } from "./values.ts";

/** Functions by which a pickle refers to names and storages outside it. */
export interface PickleHost {
  /**
   * Finds a class or function by name; nothing is ever imported or run.
   * @throws UnsupportedError if the name is not in the list of allowed names.
   */
  find(module: string, name: string): PickleGlobal;
  /** Resolves a persistent id, which names a storage in PyTorch's files. */
  load(id: unknown): unknown;
  /** Sets the state of an object that a call made; without this function states are ignored. */
  build?(target: unknown, state: unknown): void;
  /** Counts the steps of all pickles that are read from one file. */
  readonly budget: PickleBudget;
}

/** A value that was read from a pickle, and the position where the pickle ends. */
export interface PickleResult {
  /** Value of plain lists, dictionaries and tuples, and of what the host returned. */
  readonly value: unknown;
  /** Offset of the byte after the pickle. */
  readonly end: number;
}

/**
 * Reads a pickle of protocol 2 to 5 without running anything: it builds lists, dictionaries and tuples, and
 * asks `host` for everything else.
 * @param name - name of the file, for messages
 * @param begin - offset of the first byte of the pickle
 * @throws FormatError if the pickle is damaged, cut short, or longer than any real one.
 * @throws UnsupportedError if the pickle uses an unsupported name or operation.
 * @see Python's Lib/pickletools.py, which documents every operation.
 */
export function readPickle(bytes: Uint8Array, host: PickleHost, name: string, begin = 0): PickleResult {
  const machine = new Machine(new ByteCursor(bytes, name, begin), host);
  for (;;) {
    const code = machine.cursor.u8();
    machine.spend(1);
    if (code === STOP) return { value: machine.pop(), end: machine.cursor.offset };
    const operation = OPERATIONS.get(code);
    if (operation === undefined) {
      const hex = `0x${code.toString(16).padStart(2, "0")}`;
      throw new UnsupportedError(
        `Cannot read the pickle of "${name}" as operation ${hex} at byte ${machine.cursor.offset - 1} is not handled: ` +
          "protocols 2 to 5 as PyTorch writes them are",
        { feature: `pickle operation ${hex}` },
      );
    }
    operation(machine);
  }
}

class Machine {
  readonly cursor: ByteCursor;
  readonly host: PickleHost;
  readonly memo: Map<number, unknown> = new Map();
  stack: unknown[] = [];
  /** Stacks below each mark. */
  readonly marks: unknown[][] = [];

  constructor(cursor: ByteCursor, host: PickleHost) {
    this.cursor = cursor;
    this.host = host;
  }

  /** Counts steps. @throws FormatError if there are too many for the bytes that were read so far */
  spend(steps: number): void {
    this.host.budget.spend(steps, this.cursor.offset);
  }

  /** Pushes a new object that costs the given number of steps. */
  make(value: unknown, steps: number): void {
    this.spend(steps);
    this.push(value);
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) throw this.error("takes a value from an empty stack");
    return this.stack.pop();
  }

  top(): unknown {
    if (this.stack.length === 0) throw this.error("uses the top of an empty stack");
    return this.stack.at(-1);
  }

  mark(): void {
    this.spend(COST.mark);
    this.marks.push(this.stack);
    this.stack = [];
  }

  /** Removes the last mark, and returns all values above it. */
  popToMark(): unknown[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (below === undefined) throw this.error("goes back to a mark that is not there");
    this.stack = below;
    return items;
  }

  get(index: number): void {
    if (!this.memo.has(index)) throw this.error(`recalls value ${index}, which was never kept`);
    this.push(this.memo.get(index));
  }

  put(index: number): void {
    this.spend(COST.entry);
    this.memo.set(index, this.top());
  }

  error(problem: string): FormatError {
    return new FormatError(
      `Cannot read the pickle of "${this.cursor.name}" as it is damaged: byte ${this.cursor.offset - 1} ${problem}`,
      { format: "pickle" },
    );
  }
}

function pushInteger(machine: Machine, width: number): void {
  if (width > MAX_PICKLE_INTEGER_BYTES) throw machine.error(`claims an integer of ${width} bytes`);
  machine.push(machine.cursor.integer(width));
}

function append(machine: Machine, items: readonly unknown[]): void {
  const list = machine.top();
  if (!Array.isArray(list)) throw machine.error("appends to what is not a list");
  machine.spend(items.length);
  for (const item of items) list.push(item);
}

function setItems(machine: Machine, items: readonly unknown[]): void {
  const target = machine.top();
  if (!(target instanceof PickleDict)) throw machine.error("sets items of what is not a dictionary");
  if (items.length % 2 !== 0) throw machine.error("sets a key without a value");
  machine.spend((COST.entry * items.length) / 2);
  for (let i = 0; i < items.length; i += 2) target.entries.set(items[i], items[i + 1]);
}

function addItems(machine: Machine, items: readonly unknown[]): void {
  const set = machine.top();
  if (!(set instanceof PickleSet)) throw machine.error("adds to what is not a set");
  for (const item of items) set.items.push(item);
}

function makeDict(machine: Machine): void {
  const items = machine.popToMark();
  machine.make(new PickleDict(), COST.dictionary);
  setItems(machine, items);
}

function makeFrozenSet(machine: Machine): void {
  const items = machine.popToMark();
  machine.make(new PickleSet(), COST.object);
  addItems(machine, items);
}

function makeTuple(machine: Machine, count: number): void {
  const items = Array.from({ length: count }, () => machine.pop());
  machine.make(new PickleTuple(items.reverse()), COST.object);
}

function call(machine: Machine): void {
  const args = machine.pop();
  const callable = machine.pop();
  if (!(args instanceof PickleTuple)) throw machine.error("calls with what is not a tuple");
  if (!(callable instanceof PickleGlobal))
    throw machine.error("calls what is neither a class nor a function");
  if (callable.call === undefined) {
    throw new UnsupportedError(
      `Cannot read the pickle of "${machine.cursor.name}" as calling ${callable.name} is not allowed`,
      { feature: callable.name },
    );
  }
  machine.push(callable.call(args.items, (steps) => machine.spend(steps)));
}

function callWithKeywords(machine: Machine): void {
  const keywords = machine.pop();
  if (!(keywords instanceof PickleDict) || keywords.entries.size > 0)
    throw machine.error("calls with keywords");
  call(machine);
}

function build(machine: Machine): void {
  const state = machine.pop();
  machine.host.build?.(machine.top(), state);
}

function stackGlobal(machine: Machine): void {
  const name = machine.pop();
  const module = machine.pop();
  if (typeof name !== "string" || typeof module !== "string")
    throw machine.error("names a global by no string");
  machine.push(machine.host.find(module, name));
}

function protocol(machine: Machine): void {
  const version = machine.cursor.u8();
  if (version >= 2 && version <= 5) return;
  throw new UnsupportedError(
    `Cannot read the pickle of "${machine.cursor.name}" as protocols 2 to 5 are handled: it is of protocol ${version}`,
    { feature: `pickle protocol ${version}` },
  );
}

const STOP = 0x2e;

/**
 * Effect of each operation by its code, except for operations that PyTorch never writes, such as building
 * instances.
 */
const OPERATIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map([
  [0x80, protocol],
  // FRAME holds the number of bytes until the next frame, which only readers of streams need.
  [0x95, (m) => void m.cursor.u64()],

  [0x4e, (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [0x4a, (m) => m.push(m.cursor.i32())],
  [0x4b, (m) => m.push(m.cursor.u8())],
  [0x4d, (m) => m.push(m.cursor.u16())],
  [0x8a, (m) => pushInteger(m, m.cursor.u8())],
  [0x8b, (m) => pushInteger(m, m.cursor.u32())],
  [0x47, (m) => m.push(m.cursor.f64())],

  [0x58, (m) => m.make(m.cursor.utf8(m.cursor.u32()), COST.string)],
  [0x8c, (m) => m.make(m.cursor.utf8(m.cursor.u8()), COST.string)],
  [0x8d, (m) => m.make(m.cursor.utf8(m.cursor.u64()), COST.string)],
  [0x54, (m) => m.make(m.cursor.latin1(m.cursor.u32()), COST.string)],
  [0x55, (m) => m.make(m.cursor.latin1(m.cursor.u8()), COST.string)],
  [0x42, (m) => m.make(m.cursor.bytes(m.cursor.u32()), COST.object)],
  [0x43, (m) => m.make(m.cursor.bytes(m.cursor.u8()), COST.object)],
  [0x8e, (m) => m.make(m.cursor.bytes(m.cursor.u64()), COST.object)],
  [0x96, (m) => m.make(m.cursor.bytes(m.cursor.u64()), COST.object)],

  [0x28, (m) => m.mark()],
  [0x30, (m) => void (m.stack.length > 0 ? m.pop() : m.popToMark())],
  [0x31, (m) => void m.popToMark()],
  [0x32, (m) => m.push(m.top())],
  [0x68, (m) => m.get(m.cursor.u8())],
  [0x6a, (m) => m.get(m.cursor.u32())],
  [0x71, (m) => m.put(m.cursor.u8())],
  [0x72, (m) => m.put(m.cursor.u32())],
  [0x94, (m) => m.put(m.memo.size)],

  [0x5d, (m) => m.make([], COST.object)],
  [0x61, (m) => append(m, [m.pop()])],
  [0x65, (m) => append(m, m.popToMark())],
  [0x6c, (m) => m.push(m.popToMark())],
  [0x7d, (m) => m.make(new PickleDict(), COST.dictionary)],
  [0x73, (m) => setItems(m, [m.pop(), m.pop()].reverse())],
  [0x75, (m) => setItems(m, m.popToMark())],
  [0x64, makeDict],
  [0x8f, (m) => m.make(new PickleSet(), COST.object)],
  [0x90, (m) => addItems(m, m.popToMark())],
  [0x91, makeFrozenSet],
  [0x29, (m) => m.make(new PickleTuple([]), COST.object)],
  [0x85, (m) => makeTuple(m, 1)],
  [0x86, (m) => makeTuple(m, 2)],
  [0x87, (m) => makeTuple(m, 3)],
  [0x74, (m) => m.make(new PickleTuple(m.popToMark()), COST.object)],

  [0x63, (m) => m.push(m.host.find(m.cursor.line(), m.cursor.line()))],
  [0x93, stackGlobal],
  [0x51, (m) => m.make(m.host.load(m.pop()), COST.object)],
  [0x52, call],
  [0x81, call],
  [0x92, callWithKeywords],
  // BUILD sets attributes.
  [0x62, build],
]);
