import { at, entry, MismatchError, sizeOf, toFloat64 } from "@isthmus/core";
import type { MultipliedKind } from "./multiplied-weight.ts";
import { scaleColumns, scaleRows } from "./scale-rows.ts";

/**
 * IA3 of LyCORIS: each output of a module, or each input, is multiplied by 1 plus a learned number; the bias
 * is not changed.
 *
 * Source: LyCORIS, `IA3Module.make_weight`.
 */
export const lycorisIa3Kind: MultipliedKind = {
  name: "IA3 of LyCORIS",
  peftType: undefined,
  end: /\.on_input$/,
  others: (key) => [weightOf(key)],
  async open(name, key, { source, checkpoint }) {
    const { tensors } = checkpoint;
    const count = sizeOf(tensors.get(weightOf(key))?.shape ?? [0]);
    if (count === 0 || sizeOf(entry(tensors, key, "tensor").shape) !== 1) {
      throw new MismatchError(
        `Cannot use adapter "${source}" as "${name}" must have a weight and one number "on_input" beside it: it has ${count} weights`,
        { parameters: [name] },
      );
    }
    const flag = await checkpoint.read(key);
    const isOfInputs = at(toFloat64(flag.data, flag.dtype), 0, "flag") !== 0;
    return {
      name,
      kind: "IA3",
      expected: isOfInputs ? `[*, ${count}, ...]` : `[${count}, ...]`,
      fits: (weight) => weight.length >= 2 && weight[isOfInputs ? 1 : 0] === count,
      async readRows() {
        const { data, dtype } = await checkpoint.read(weightOf(key));
        const factors = toFloat64(data, dtype).map((x) => 1 + x);
        return (rows) => (isOfInputs ? scaleColumns(rows, factors) : scaleRows(rows, factors));
      },
    };
  },
};

/** Returns the name of the tensor with the learned numbers. */
function weightOf(key: string): string {
  return key.replace(/on_input$/, "weight");
}
