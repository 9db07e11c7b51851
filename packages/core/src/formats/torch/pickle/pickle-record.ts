import { COST } from "./pickle-budget.ts";
import { PickleDict, PickleGlobal, PickleTuple } from "./values.ts";

/** A Python object of which only the class and the state are known; no code of the class is run. */
export class PickleRecord {
  /** Module and name of the class, joined by a dot. */
  readonly name: string;
  /** Arguments that the object was made of. */
  readonly args: readonly unknown[];
  /** State that the pickle gave the object: a dictionary of attributes, or a tuple. */
  state: unknown = undefined;

  constructor(name: string, args: readonly unknown[]) {
    this.name = name;
    this.args = args;
  }

  /** Returns an attribute; undefined if there is no such attribute. */
  get(field: string): unknown {
    // Objects of classes with slots have a tuple: a dictionary or nothing, and the slots.
    const [first, slots] = this.state instanceof PickleTuple ? this.state.items : [this.state];
    for (const attributes of [first, slots])
      if (attributes instanceof PickleDict && attributes.entries.has(field))
        return attributes.entries.get(field);
    return undefined;
  }
}

/** Makes the global of a class whose objects are read as records. */
export function recordClass(name: string): PickleGlobal {
  return new PickleGlobal(name, (args, spend) => {
    spend(COST.dictionary);
    return new PickleRecord(name, args);
  });
}

/** Sets the state of records, and ignores that of all other objects: `build` of a host. */
export function buildRecord(target: unknown, state: unknown): void {
  if (target instanceof PickleRecord) target.state = state;
}
