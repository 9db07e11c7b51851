import { cotangent, type GradientRule, refuseVariant, settledNumbers } from "../gradient-rule.ts";

/** Dropout outside training passes everything on, and so does its gradient. */
export const dropoutRule: GradientRule = (context) => {
  const [training = 0] = settledNumbers(context, 2) ?? [];
  if (training !== 0)
    refuseVariant(context, "must not drop by itself, as its mask is not known again", "in training mode");
  return [cotangent(context)];
};
