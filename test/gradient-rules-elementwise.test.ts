import { add, mul, relu } from "@isthmus/graph/build";
import { describe, test } from "vitest";
import { checkGradient, checkHessian, type GradientCase } from "./helpers/check-gradient.ts";

const cases: Readonly<Record<string, GradientCase["build"]>> = {
  Add: (b, dtype) => add(b.input("x", { dtype, shape: [2, 3] }), b.weight("y", { dtype, shape: [3] })),
  Mul: (b, dtype) => mul(b.input("x", { dtype, shape: [2, 1, 3] }), b.weight("y", { dtype, shape: [4, 1] })),
  Relu: (b, dtype) => relu(b.input("x", { dtype, shape: [2, 3] })),
};

describe.each(Object.entries(cases))("rule of %s", (_, build) => {
  test("gradient() equals differences", () => checkGradient(build));
  test("hessianVectorProduct() equals differences of gradients", () => checkHessian(build));
});
