import { choiceField, type FieldsOf, fieldOf, namesField } from "@isthmus/core";
import { QUANTIZED_BITS, type QuantizedBits } from "./quantize-values.ts";

/** Ways to choose scales: one for each output channel of a weight, or one for each weight. */
const QUANTIZE_SCHEMES = ["channel", "tensor"] as const;

/** Way to choose scales. */
export type QuantizeScheme = (typeof QUANTIZE_SCHEMES)[number];

/** Options of the grid of quantised weights. */
export interface QuantizeChoice {
  /** Number of bits of a value on the grid. @defaultValue 8 */
  readonly bits?: QuantizedBits;
  /**
   * Way to choose scales: one for each output channel of a weight, or one for each weight.
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
    help: "one scale for each output channel, along the first axis as PyTorch has them, or for each tensor",
  }),
  layers: namesField({
    keyed: "if-named",
    help: "weights, for example conv*,fc1.weight (default: all of two or more axes)",
  }),
};
