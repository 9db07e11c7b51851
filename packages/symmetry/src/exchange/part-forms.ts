import { at, entry } from "@isthmus/core";
import { valuesRead } from "@isthmus/graph/ir";
import { type Selection, selectionOf } from "./selections.ts";
import type { FormContext } from "./value-cones.ts";

/** Form of the computation of a summand. */
export interface PartForm {
  /** Description that is equal for summands that differ only by their weights, and by their selections. */
  readonly form: string;
  /** Names of the weights that only this summand reads, in the order in which they are met. */
  readonly weights: readonly string[];
  /** Selections of one index each from values that others read as well, in the same order. */
  readonly selections: readonly Selection[];
}

/** Describes the computation of a summand from its own weights and from values that it shares with others. */
export function formOf(context: FormContext, summand: string): PartForm {
  const weights: string[] = [];
  const selections: Selection[] = [];
  const numbers = new Map<string, number>();
  const describe = (name: string): string => {
    if (name === "") return "-";
    const number = numbers.get(name);
    if (number !== undefined) return `#${number}`;
    if (context.isShared(name) || !isMade(context, name)) return sharedForm(context, name);
    numbers.set(name, numbers.size);
    const weight = context.index.graph.weights.get(name);
    if (weight !== undefined) {
      weights.push(name);
      return `weight ${weight.dtype} ${weight.shape.join("x")}`;
    }
    const maker = entry(context.index.makers, name, "value");
    const selection = selectionOf(context, maker, name);
    if (selection !== undefined) {
      selections.push(selection);
      return `one of ${selection.value} along ${selection.axis}`;
    }
    const inputs = valuesRead(maker).map(describe).join(", ");
    const attributes = JSON.stringify([...maker.attributes], (_, value) =>
      typeof value === "bigint" ? String(value) : value,
    );
    return `${maker.domain}:${maker.op} ${attributes} ${maker.outputs.indexOf(name)}(${inputs})`;
  };
  return { form: describe(summand), weights, selections };
}

function isMade({ index }: FormContext, name: string): boolean {
  return index.makers.has(name) || index.graph.weights.has(name);
}

/** Describes a value that others share; a constant by its contents. */
function sharedForm({ index, probe }: FormContext, name: string): string {
  const constant = index.graph.constants.get(name) ?? probe.constants.get(name);
  if (constant === undefined) return `value ${name}`;
  const { dtype, shape, data } = constant;
  return `constant ${dtype} ${shape.join("x")} ${Array.from(data as ArrayLike<number | bigint>, String).join()}`;
}

/** Returns the first of some weights' names without the parts that differ between them. */
export function commonName(names: readonly string[]): string {
  const first = at(names, 0, "name");
  let length = first.length;
  for (const name of names) {
    let same = 0;
    while (same < length && name[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, length).replace(/[._/\d]+$/, "") || first;
}
