import { choiceField, type FieldsOf, fieldOf, namesField } from "@isthmus/core";
import { QUANTIZED_BITS, type QuantizedBits } from "./quantize-values.ts";
import { QUANTIZE_SCHEMES, type QuantizeScheme } from "./weight-grids.ts";

/** Options of the grid of quantised weights. */
export interface QuantizeChoice {
  /** Number of bits of a value on the grid. @defaultValue 8 */
  readonly bits?: QuantizedBits;
  /**
   * Way to choose scales: one for each output channel of a weight, one for each weight, or one for each block
   * of 32 neighbouring elements of a row, as in GGUF files.
   * @defaultValue "channel"
   */
  readonly scheme?: QuantizeScheme;
  /**
   * Names of the weights, in which `*` matches any characters.
   * @defaultValue all weights of two or more axes
   */
  readonly layers?: readonly string[] | undefined;
}

/** Fields of {@link QuantizeChoice}. */
export const QUANTIZE_FIELDS: FieldsOf<QuantizeChoice> = {
  bits: fieldOf<QuantizedBits>(
    {
      type: "special",
      name: "quantized-bits",
      rule: QUANTIZED_BITS.join(" or "),
      accepts: (value) => QUANTIZED_BITS.some((bits) => bits === value),
    },
    {
      default: 8,
      placeholder: "<n>",
      parse: Number,
      help: `bits of a weight: ${QUANTIZED_BITS.join(" or ")}`,
    },
  ),
  scheme: choiceField<QuantizeScheme>(QUANTIZE_SCHEMES, {
    default: "channel",
    placeholder: "<scheme>",
    help: "one scale for each output channel, along the first axis as PyTorch has them, for each tensor, or for each block of 32 elements of a row",
  }),
  layers: namesField({
    keyed: "if-named",
    help: "weights, for example conv*,fc1.weight (default: all of two or more axes)",
  }),
};
