import { cast } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Another element type, named or like that of a second operand: the gradient in the former one, for the first operand only. */
export const castRule: GradientRule = (context) => [cast(cotangent(context), operand(context, 0).dtype)];
