import type { AnyField, Checkpoint, ValuesOf } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { describePlainly } from "../measurement/describe-plainly.ts";
import { plainTitle } from "../measurement/own-result.ts";
import type { Report } from "../report.ts";
import { assertOwnMaker } from "./assert-own-maker.ts";
import type {
  MadeNetwork,
  MakerExamples,
  MakerStart,
  MakerStarts,
  MakerSubject,
  MakingControl,
  MakingPlan,
  NetworkMaker,
} from "./network-maker.ts";

/** Options by their names. */
type Fields = Readonly<Record<string, AnyField>>;

/** Examples by their names. */
type Asked = Readonly<Record<string, MakerExamples>>;

/** Opened examples, by their names; optional ones may be missing. */
type Opened<X extends Asked> = {
  readonly [K in keyof X]: X[K] extends { readonly isOptional: true } ? DataSet | undefined : DataSet;
};

/** Inputs of a maker: networks, architecture and examples, of the types that follow from its definition. */
export type OwnStart<S extends MakerStart, X extends Asked, G extends boolean> = MakerStarts[S] & {
  /** Graph and engine; a command may name no graph if the maker needs none. */
  readonly architecture: G extends true ? Architecture : Architecture | undefined;
  /** Opened examples by the names under which the maker asks for them. */
  readonly examples: Opened<X>;
};

/** A maker of networks as a user writes it; parts that are left out have defaults. */
export interface OwnNetworkMaker<S extends MakerStart, F extends Fields, X extends Asked, G extends boolean>
  extends Partial<
    Pick<NetworkMaker, "attempt" | "describe" | "does" | "makes" | "resumes" | "usage" | "version">
  > {
  /** Key of its entries in studies, name of its tasks and of its command, such as `low-rank`. */
  readonly name: string;
  /** Description of the maker in one line, for help. */
  readonly summary: string;
  /** Sort of its start: it makes one network from each network, or one from several together. */
  readonly from: S;
  /** Its options, each once, made by `numberField` and its like. @defaultValue none */
  readonly options?: F;
  /** Examples that the maker asks for, by their names, such as `data`. @defaultValue none */
  readonly examples?: X;
  /** Whether it needs the architecture, or works on tensors alone. @defaultValue false */
  readonly needsGraph?: G;
  /** Describes how a network differs from its start, for labels. @defaultValue its name and its options */
  labelOf?(options: ValuesOf<F>, examples: Readonly<Record<string, string>>): string;
  /** Describes what it would do, for `--dry-run` of its command. @defaultValue there is no such option */
  explain?(start: OwnStart<S, X, G>, options: ValuesOf<F>, control: MakingControl): Promise<MakingPlan>;
  /** Makes a network; a result, if there is one, is plain data that a JSON file can hold. */
  make(
    start: OwnStart<S, X, G>,
    options: ValuesOf<F>,
    control: MakingControl,
  ): Promise<Checkpoint | MadeNetwork>;
}

/** A maker of networks of one's own, with any start. */
type AnyOwn = OwnNetworkMaker<MakerStart, Fields, Asked, boolean>;

/**
 * Defines a way to make networks by a few parts: its name, its start, its options and a function.
 * Entries of studies have its name as their key, and a command of that name writes a network. Both take it
 * from the file that `--use` names, or from `addNetworkMaker`.
 * @throws UsageError if a part is missing, unknown or malformed
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor, numberField, toFloat64, withTensors } from "@isthmus/core";
 * import { defineNetworkMaker } from "isthmus";
 *
 * const maker = defineNetworkMaker({
 *   name: "shrunken",
 *   summary: "Multiply all weights of a network by a number",
 *   from: "network",
 *   options: { factor: numberField({ default: 0.5, help: "number that weights are multiplied by" }) },
 *   async make({ network }, { factor }) {
 *     const tensors = new Map();
 *     for (const name of network.tensors.keys()) {
 *       const tensor = await network.read(name);
 *       const data = toFloat64(tensor.data, tensor.dtype).map((weight) => weight * factor);
 *       tensors.set(name, createTensor("f64", tensor.shape, data));
 *     }
 *     return withTensors(network, tensors);
 *   },
 * });
 * assert.equal(maker.labelOf({ factor: 0.5 }, {}), "shrunken, factor 0.5");
 * ```
 */
export function defineNetworkMaker<
  S extends MakerStart,
  F extends Fields = Record<never, AnyField>,
  X extends Asked = Record<never, MakerExamples>,
  G extends boolean = false,
>(definition: OwnNetworkMaker<S, F, X, G>): NetworkMaker<ValuesOf<F>, keyof X & string> {
  assertOwnMaker(definition);
  // The start that a maker is given is the one that it asks for.
  return completeMaker(definition as unknown as AnyOwn) as NetworkMaker<ValuesOf<F>, keyof X & string>;
}

/** Fills in the parts of a definition that the user has left out. */
function completeMaker(definition: AnyOwn): NetworkMaker {
  const { name, summary, from, options = {}, examples = {}, version = 1 } = definition;
  return {
    name,
    version,
    summary,
    from,
    options,
    examples,
    attempt: definition.attempt ?? `make a network by ${name}`,
    does: definition.does ?? "make",
    makes: definition.makes ?? "the network that is made",
    needsGraph: definition.needsGraph ?? false,
    resumes: definition.resumes ?? false,
    usage: definition.usage ?? [],
    labelOf: (chosen, named) => definition.labelOf?.(chosen, named) ?? plainLabel(name, chosen, named),
    ...(definition.explain && { explain: definition.explain.bind(definition) }),
    async make(subject: MakerSubject, chosen, control) {
      const made = await definition.make(subject, chosen, control);
      return "weights" in made ? made : { weights: made, result: {} };
    },
    describe(result): Report {
      const whole = { kind: name, ...result };
      return definition.describe?.(whole) ?? describePlainly(whole, plainTitle(whole));
    },
  };
}

/** Makes a label from the name of a maker, its options and its examples: `low-rank, rank 8`. */
function plainLabel(name: string, options: object, examples: Readonly<Record<string, string>>): string {
  const said = Object.entries({ ...options, ...examples }).flatMap(([key, value]) => {
    return value === undefined || typeof value === "object" ? [] : [`${key} ${value}`];
  });
  return [name, ...said].join(", ");
}
