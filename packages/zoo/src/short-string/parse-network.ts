import { InputError, sizeOf } from "@isthmus/core";
import type { ExamplesForm, Network } from "../network.ts";
import { FAMILIES } from "./families.ts";
import type { FieldValue, SegmentField } from "./field.ts";
import { formOf, NETWORK_FORMS } from "./forms.ts";
import { type FamilyName, type Form, GRAMMAR } from "./grammar.ts";

/** A short string of a network, split into its parts. */
export interface NetworkName {
  /** Short string as written. */
  readonly spec: string;
  /** Family of the network, by the first segment. */
  readonly family: FamilyName;
  /** Options in the string. */
  readonly options: Readonly<Record<string, FieldValue>>;
  /**
   * Number of tokens of an example, the length of the windows into which text must be cut; undefined if the
   * string does not state it.
   */
  readonly context: number | undefined;
}

/**
 * Builds the network of a short string such as `mlp:512x3`, `resnet20:w4:layer` or `gpt:d1:w64:h4:c64`.
 *
 * The string is a name, then segments in any order, joined by `:`; `describeNetworks` lists all names and
 * segments. The network has an output for each class or, for examples without classes, for each number in
 * their labels, else for each number of an input, as in autoencoders.
 * @throws InputError if the string has another form, or the network does not fit the examples
 * @throws OutOfRangeError if options contradict each other, such as a width that the number of heads does not
 *   divide, or the shape is not allowed
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseNetwork } from "@isthmus/zoo";
 *
 * const { graph, initialize } = parseNetwork("mlp:64x2", { exampleShape: [1, 28, 28], classes: 10 });
 * assert.equal(graph.weights.size, 6); // a weight and a bias for each of three layers
 * const weights = initialize(0); // a checkpoint, from seed 0
 * assert.deepEqual([...weights.tensors.keys()], [...graph.weights.keys()]);
 * ```
 */
export function parseNetwork(spec: string, form: ExamplesForm): Network {
  const { family, options } = parseNetworkName(spec);
  const { exampleShape } = form;
  return FAMILIES[family].build(options, { exampleShape, classes: countOutputs(form) });
}

/** Counts the outputs of a network: the classes, or the numbers to approximate for an example. */
function countOutputs({ classes, exampleShape, targets, features }: ExamplesForm): number {
  if (classes !== 0) return classes;
  const info = targets === undefined ? undefined : features?.get(targets);
  return sizeOf(info?.shape ?? exampleShape);
}

/**
 * Splits a short string into its parts without building a network.
 * @throws InputError if the string has none of the forms that `describeNetworks` lists
 */
export function parseNetworkName(spec: string): NetworkName {
  const [name = "", ...segments] = spec.split(":");
  const { family, depth } = findFamily(spec, name);
  const form = GRAMMAR[family];
  const options: Record<string, FieldValue> = {};
  if (form.depth !== undefined && depth !== undefined) options[form.depth.option] = depth;
  for (const segment of segments) {
    const { field, value } = readSegment(spec, form, segment);
    if (Object.hasOwn(options, field.option)) {
      throw nameError(spec, form, `${field.option} is given twice, the second time by "${segment}"`);
    }
    if (!field.accepts(value)) {
      throw nameError(spec, form, `${field.option} must be ${field.allowed}: "${segment}"`);
    }
    options[field.option] = value;
  }
  const missing = form.required.find((option) => !Object.hasOwn(options, option));
  if (missing !== undefined) throw nameError(spec, form, `it must give the ${missing}`);
  const context = options["context"];
  return { spec, family, options, context: typeof context === "number" ? context : undefined };
}

function findFamily(spec: string, name: string): { family: FamilyName; depth?: number } {
  for (const [family, form] of Object.entries(GRAMMAR) as [FamilyName, Form][]) {
    if (form.depth === undefined && form.name === name) return { family };
    const depth = form.depth?.depths.find((count) => `${form.name}${count}` === name);
    if (depth !== undefined) return { family, depth };
  }
  throw new InputError(
    `Cannot build network "${spec}" as there is none of the name "${name}"; a network is one of ${NETWORK_FORMS.join(", ")}`,
    { input: spec },
  );
}

function readSegment(spec: string, form: Form, segment: string): { field: SegmentField; value: FieldValue } {
  for (const field of form.fields) {
    const value = field.read(segment);
    if (value !== undefined) return { field, value };
  }
  throw nameError(spec, form, `it has no segment of the form "${segment}"`);
}

function nameError(spec: string, form: Form, reason: string): InputError {
  return new InputError(
    `Cannot build network "${spec}" as ${reason}; it is ${formOf(form)}, for example ${form.example}`,
    { input: spec },
  );
}
