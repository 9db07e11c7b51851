import { findMisfit, InputError } from "@isthmus/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { LOSS_FIELD } from "./loss-field.ts";
import { LOSSES } from "./losses.ts";

const { form, parse = String } = LOSS_FIELD;
const names = LOSSES.map(({ name }) => name);

it.each(names)("LOSS_FIELD takes %s on a command line and in a file", (name) => {
  expect(parse(name)).toBe(name);
  expect(findMisfit(form, name)).toBeUndefined();
  expect(LOSS_FIELD.help).toContain(name);
});

it("losses of several outputs are read from a command line as a file has them", () => {
  const output = fc.stringMatching(/^[a-z][a-z0-9_/:=.]*$/);
  const losses = fc.dictionary(output, fc.constantFrom(...names), { minKeys: 1, noNullPrototype: true });
  fc.assert(
    fc.property(losses, (loss) => {
      const text = Object.entries(loss).map(([name, part]) => `${name}=${part}`);
      expect(parse(text.join(","))).toEqual(loss);
      expect(findMisfit(form, loss)).toBeUndefined();
    }),
  );
});

it.each(["hinge", "", "head=hinge", "=cross-entropy", "head=cross-entropy,none"])(
  "%j is refused on a command line, with the names there are",
  (text) => {
    const names = /must be cross-entropy, binary-cross-entropy, .* none, or one of these for each/;
    expect(() => parse(text)).toThrow(InputError);
    expect(() => parse(text)).toThrow(names);
  },
);

it.each([
  [{}],
  [[]],
  [null],
  [7],
  [{ head: "hinge" }],
  [{ head: { loss: "cross-entropy", weight: 0 } }],
  [{ head: { loss: "cross-entropy", wieght: 1 } }],
  [{ head: { targets: "y" } }],
])("%j is refused in a file", (value) => {
  expect(findMisfit(form, value)).toBeDefined();
});

it("an output in a file may have labels and a weight of its own", () => {
  const loss = { head: { loss: "cross-entropy", targets: "y", weight: 2 }, box: "mean-squared-error" };
  expect(findMisfit(form, loss)).toBeUndefined();
});
