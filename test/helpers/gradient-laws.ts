import { createRandom, type DType, type Random } from "@isthmus/core";
import type { GraphBuilder, Value } from "@isthmus/graph/builder";
import fc from "fast-check";
import { describe, test } from "vitest";
import { checkGradient, checkHessian, type GradientCase } from "./check-gradient.ts";

/** What a rule's function is built from in one example: everything random comes from `random`. */
export interface Example {
  readonly b: GraphBuilder;
  readonly dtype: DType;
  readonly random: Random;
  /** Input of the element type to differentiate by. */
  readonly x: (name: string, shape: readonly number[]) => Value;
}

/** A function whose gradient rule to check, or that and how. */
export type RuleCase =
  | ((example: Example) => Value | readonly Value[])
  | (Omit<GradientCase, "build" | "seed"> & {
      readonly build: (example: Example) => Value | readonly Value[];
      /** Whether second derivatives are there to check. @defaultValue true */
      readonly second?: boolean;
    });

/** Examples of each law, unless a test says otherwise. */
const EXAMPLES = 7;

/** Declares the tests of gradient rules, by what each function is called. */
export function testRules(cases: Readonly<Record<string, RuleCase>>, examples = EXAMPLES): void {
  describe.each(Object.entries(cases))("rule of %s", (_, given) => {
    const { build, second = true, ...rest } = typeof given === "function" ? { build: given } : given;
    const at = (seed: number): GradientCase => ({
      ...rest,
      seed,
      build: (b, dtype) =>
        build({
          b,
          dtype,
          random: createRandom(seed, "example"),
          x: (name, shape) => b.input(name, { dtype, shape }),
        }),
    });
    const check = (law: (seed: number) => Promise<void>): Promise<void> =>
      fc.assert(fc.asyncProperty(fc.nat({ max: 2 ** 31 - 1 }), law), {
        numRuns: examples,
        seed: 1,
        endOnFailure: true,
      });
    test("gradient() equals central differences", () => check((seed) => checkGradient(at(seed))));
    test.runIf(second)("hessianVectorProduct() equals differences of gradients", () =>
      check((seed) => checkHessian(at(seed))),
    );
  });
}

/** A shape of so many axes, each of extent 1 to 4. */
export const anyShape = (random: Random, rank: number): number[] =>
  Array.from({ length: rank }, () => 1 + random.integer(4));

/** A shape that broadcasts to another: some extents 1, some leading axes left out. */
export function broadcastTo(random: Random, shape: readonly number[]): number[] {
  const left = random.integer(3) === 0 ? random.integer(shape.length + 1) : 0;
  return shape.slice(left).map((extent) => (random.integer(3) === 0 ? 1 : extent));
}

/** One of some choices. */
export const oneOf = <T>(random: Random, choices: readonly T[]): T =>
  choices[random.integer(choices.length)] as T;
