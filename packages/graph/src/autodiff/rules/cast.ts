import { cast } from "../../build/operators/elementwise.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Another element type: the gradient in the former one. */
export const castRule: GradientRule = (context) => [cast(cotangent(context), operand(context, 0).dtype)];
