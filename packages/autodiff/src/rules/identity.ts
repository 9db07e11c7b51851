import { cotangent, type GradientRule } from "../gradient-rule.ts";

/** `y = x`: the gradient passes. */
export const identityRule: GradientRule = (context) => [cotangent(context)];
