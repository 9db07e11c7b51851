import type { AnyField, ValuesOf } from "@isthmus/core";
import type * as z from "zod";
import type { Report } from "../report.ts";
import { assertOwnMeasurement } from "./assert-own-measurement.ts";
import { describePlainly } from "./describe-plainly.ts";
import type { AnyMeasurement, CompletedBy, Control, MeasurementEntry } from "./measurement.ts";
import {
  type OwnOrigin,
  type OwnSubject,
  type OwnSubjectName,
  originOf,
  plainTitle,
  WEIGHTS_OF,
} from "./own-result.ts";

/** Views an array buffer view as iterable, which all typed arrays are, but a `DataView` is not. */
const listOf = (array: ArrayBufferView): Iterable<unknown> => array as ArrayBufferView & Iterable<unknown>;

/** Options by their names. */
type Fields = Readonly<Record<string, AnyField>>;

/** A result of a measurement of one's own: the findings, and the networks and examples that they are of. */
export type OwnResult<F extends Fields, R extends object> = PlainData<R> &
  Omit<OwnOrigin, "options"> & { /** Options, defaults included. */ readonly options: ValuesOf<F> };

/** A measurement as a user writes it; parts that are left out have defaults. */
export interface OwnMeasurement<
  S extends OwnSubjectName,
  F extends Fields,
  R extends object,
  D extends boolean = boolean,
> extends Partial<
    Pick<
      AnyMeasurement,
      "attempt" | "examples" | "examplesBeside" | "isOnLine" | "journal" | "networks" | "pairs" | "version"
    >
  > {
  /** Name of its command, such as `gradient-norm`. */
  readonly verb: string;
  /** Name of its results, its tasks and its entries in studies. */
  readonly kind: string;
  /** Description of the measurement in one line, for help. */
  readonly summary: string;
  /** Sort of its subject: a network, a pair of networks, or several networks. */
  readonly subject: S;
  /**
   * Whether it needs examples and the architecture of the networks. If it is `false`, commands and studies
   * ask for neither, and `run` is given networks alone.
   * @defaultValue true
   */
  readonly needsData?: D;
  /** Its options, each once, made by `numberField` and its like. @defaultValue none */
  readonly options?: F;
  /**
   * Fills in options whose defaults depend on the networks and the data. @defaultValue the options unchanged
   */
  complete?(options: ValuesOf<F>, subject: CompletedBy): ValuesOf<F>;
  /** Measures, and returns the findings: data that JSON can hold, in which typed arrays become lists. */
  run(subject: OwnSubject<S, D>, options: ValuesOf<F>, control: Control<NoInfer<R>>): Promise<R>;
  /**
   * Describes a result for its page.
   * @defaultValue a tile for each number, a table for each list, a line for each list of numbers
   */
  describe?(result: OwnResult<F, R>): Report;
  /** Returns the title of a result's page. @defaultValue the kind and the names of the networks */
  titleOf?(result: OwnResult<F, R>): string;
  /** Loads the form of a result, as files hold it. @defaultValue any object of this kind */
  form?(): Promise<z.ZodType>;
  /**
   * Returns the record of a result that tables of studies read. @defaultValue the result without paths of
   * networks
   */
  recordOf?(result: OwnResult<F, R>): object;
}

/** A measurement of one's own, of any subject, options and results. */
type AnyOwn = OwnMeasurement<OwnSubjectName, Fields, object>;

/** Data as JSON holds them: a list in place of each typed array. */
type PlainData<T> = T extends ArrayBufferView
  ? readonly number[]
  : T extends object
    ? { readonly [K in keyof T]: PlainData<T[K]> }
    : T;

/**
 * Defines a measurement by a few parts: its name, its subject, its options and a function. Commands, studies,
 * workers and pages take it from the file that `--use` names, or from `addMeasurement`.
 * @throws UsageError if a part is missing, unknown or malformed
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { numberField } from "@isthmus/core";
 * import { defineMeasurement } from "isthmus";
 *
 * const entry = defineMeasurement({
 *   verb: "weight-count",
 *   kind: "weight-count",
 *   summary: "Count the weights of a network that are large",
 *   subject: "network",
 *   options: { least: numberField({ least: 0, default: 0.1, help: "smallest size that counts" }) },
 *   async run({ network }, { least }) {
 *     let large = 0;
 *     for (const name of network.tensors.keys()) {
 *       const { data } = await network.read(name);
 *       for (const weight of data) if (Math.abs(Number(weight)) >= least) large++;
 *     }
 *     return { large };
 *   },
 * });
 * assert.equal(entry.verb, "weight-count");
 * ```
 */
export function defineMeasurement<
  S extends OwnSubjectName,
  R extends object,
  F extends Fields = Record<never, AnyField>,
  D extends boolean = true,
>(definition: OwnMeasurement<S, F, R, D>): MeasurementEntry {
  assertOwnMeasurement(definition);
  const { kind, verb, summary } = definition;
  const measurement = completeMeasurement(definition);
  const { subject } = measurement;
  return { kind, verb, summary, subject, load: async () => measurement };
}

/** Fills in the parts of a definition that the user has left out. */
function completeMeasurement(definition: AnyOwn): AnyMeasurement {
  const {
    kind,
    needsData = true,
    version = 1,
    attempt,
    isOnLine = false,
    examples = [],
    examplesBeside,
    journal,
    networks,
    pairs,
  } = definition;
  const subject = needsData ? definition.subject : WEIGHTS_OF[definition.subject];
  const titleOf = (result: OwnResult<Fields, object>) => definition.titleOf?.(result) ?? plainTitle(result);
  return {
    kind,
    subject,
    version,
    examples,
    isOnLine,
    titleOf,
    attempt: attempt ?? `measure ${kind.replaceAll("-", " ")}`,
    options: definition.options ?? {},
    ...(examplesBeside && { examplesBeside }),
    ...(journal && { journal }),
    ...(networks !== undefined && { networks }),
    ...(pairs && { pairs }),
    ...(definition.complete && { complete: (options, of) => definition.complete?.(options, of) ?? options }),
    ...(definition.recordOf && {
      recordOf: (result: OwnResult<Fields, object>) => definition.recordOf?.(result) ?? result,
    }),
    form: definition.form ?? (async () => (await import("../forms/own-result-form.ts")).ownResultForm(kind)),
    describe: (result: OwnResult<Fields, object>) =>
      definition.describe?.(result) ?? describePlainly(result, titleOf(result)),
    async run(of: OwnSubject<OwnSubjectName, boolean>, options, control) {
      const whole = (found: object) => ({ kind, ...originOf(of), options, ...Object(plainData(found)) });
      const onPart = (found: object) => control.onPart(whole(found));
      return whole(await definition.run(of, options, { ...control, onPart }));
    },
  };
}

/**
 * Turns all typed arrays inside a value into lists: JSON would make objects of them, with a key for each
 * place. Whole numbers of 64 bits become numbers, as JSON has no others.
 */
function plainData(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? value : Array.from(listOf(value), Number);
  if (Array.isArray(value)) return value.map(plainData);
  // What writes itself as JSON, such as a date, is left to that.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainData(part)]));
}
