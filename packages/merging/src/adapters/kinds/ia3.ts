import { entry, MismatchError, sizeOf, toFloat32, toFloat64 } from "@isthmus/core";
import { compileExpression } from "../../match-expression.ts";
import type { FactorType } from "../factors.ts";
import type {
  MultipliedKind,
  MultipliedRows,
  MultipliedSource,
  MultipliedWeight,
} from "./multiplied-weight.ts";
import { scaleColumns, scaleRows } from "./scale-rows.ts";

/**
 * IA3: each output of a module is multiplied by a learned factor, or each input of a module that the settings
 * call a feed-forward one.
 *
 * Source: Liu et al., Few-shot parameter-efficient fine-tuning is better and cheaper than in-context
 * learning, 2022, section 3.3; PEFT, `IA3Layer.merge`.
 */
export const ia3Kind: MultipliedKind = {
  name: "IA3",
  peftType: "IA3",
  end: /\.ia3_l$/,
  open(name, key, source) {
    const { shape } = entry(source.checkpoint.tensors, key, "tensor");
    const count = sizeOf(shape);
    const isOfInputs = readIsOfInputs(name, shape, source);
    const isSaid = source.settings["fan_in_fan_out"] === true;
    const read = async (type: FactorType) => {
      const { data, dtype } = await source.checkpoint.read(key);
      return type === "f64" ? toFloat64(data, dtype) : toFloat32(data, dtype);
    };
    const storedAs = (isTransposed: boolean): MultipliedWeight => {
      const isByColumn = isOfInputs !== isTransposed;
      return {
        name,
        isTransposed,
        kind: "IA3",
        expected: isByColumn ? `[*, ${count}, ...]` : `[${count}, ...]`,
        fits: (weight) => weight.length >= 2 && weight[isByColumn ? 1 : 0] === count,
        async readRows(type) {
          const factors = await read(type);
          return (rows) => (isByColumn ? scaleColumns(rows, factors) : scaleRows(rows, factors));
        },
        ...(!isOfInputs && {
          async readBias(type: FactorType) {
            const factors = await read(type);
            return (rows: MultipliedRows) => scaleRows(rows, factors);
          },
        }),
      };
    };
    return { ...storedAs(isSaid), turned: storedAs(!isSaid) };
  },
};

/** Finds out whether inputs are multiplied: the shape says it, `[1, in]` or `[out, 1]`, or the settings. */
function readIsOfInputs(
  name: string,
  shape: readonly number[],
  { source, settings }: MultipliedSource,
): boolean {
  const [first = 0, second = 0, ...kernel] = shape;
  const count = sizeOf(shape);
  if (shape.length < 2 || count === 0 || Math.max(first, second) !== count || sizeOf(kernel) !== 1) {
    throw new MismatchError(
      `Cannot use adapter "${source}" as the factors of "${name}" must be one row or one column: they are [${shape}]`,
      { parameters: [name] },
    );
  }
  // A convolution has one shape for both, and so has a factor of one element.
  if (shape.length === 2 && count > 1) return second === count;
  const { feedforward_modules: modules } = settings;
  if (typeof modules === "string") return compileExpression(modules, { whole: true })(name);
  return Array.isArray(modules) && modules.some((end) => typeof end === "string" && name.endsWith(end));
}
