import type { GradientRule } from "../gradient-rule.ts";

/** Operators whose results do not change smoothly with their operands, or only by their shapes: no gradient passes. */
export const stopRule: GradientRule = ({ inputs }) => inputs.map(() => undefined);
