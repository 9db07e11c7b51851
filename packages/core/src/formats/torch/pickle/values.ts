/** A Python tuple. */
export class PickleTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A Python dictionary of any class, in order. */
export class PickleDict {
  readonly entries: Map<unknown, unknown> = new Map();
}

/** A Python set or frozenset, as a list of members that may repeat. */
export class PickleSet {
  readonly items: unknown[] = [];
}

/** A Python object whose content is ignored: a type, a device, a layout. */
export class PickleOpaque {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Counts the steps of the objects that a call creates; see `PickleBudget`. */
export type SpendSteps = (steps: number) => void;

/** Calls a class or function and returns its result; counts steps before creating objects. */
export type PickleCall = (args: readonly unknown[], spend: SpendSteps) => unknown;

/** A class or function from the list of allowed ones that a pickle refers to. */
export class PickleGlobal {
  /** Module and name, joined by a dot. */
  readonly name: string;
  /** Function to call; undefined if the name is allowed but must not be called. */
  readonly call: PickleCall | undefined;
  constructor(name: string, call?: PickleCall) {
    this.name = name;
    this.call = call;
  }
}
