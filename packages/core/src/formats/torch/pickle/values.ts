/** A Python tuple. */
export class PickleTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A Python dictionary of whatever class, in order. */
export class PickleDict {
  readonly entries: Map<unknown, unknown> = new Map();
}

/** A Python set or frozenset; members are kept, equality is not. */
export class PickleSet {
  readonly items: unknown[] = [];
}

/** A Python object that carries nothing of interest: a type, a device, a layout. */
export class PickleOpaque {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Counts steps for what a call makes; see `PickleBudget`. */
export type SpendSteps = (steps: number) => void;

/** What calling a class or function gives; it counts what it makes, before it makes it. */
export type PickleCall = (args: readonly unknown[], spend: SpendSteps) => unknown;

/** A class or function that a pickle names, from the list of what is allowed. */
export class PickleGlobal {
  /** Module and name, joined by a dot. */
  readonly name: string;
  /** What calling it gives; without it, it may be named but not called. */
  readonly call: PickleCall | undefined;
  constructor(name: string, call?: PickleCall) {
    this.name = name;
    this.call = call;
  }
}
