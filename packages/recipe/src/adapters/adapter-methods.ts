import type { MergeAdaptersOptions, MergeMethod, ParameterSpec } from "@isthmus/merging";

/** A method of merging LoRA adapters, by its name in recipes. */
export interface AdapterMethod
  extends Pick<MergeMethod, "name" | "description" | "source" | "parameters" | "keepsTensor"> {
  /**
   * Way in which `mergeAdapters` combines the factors: one of PEFT's, or `core` for a merge method in core
   * space.
   */
  readonly combination: MergeAdaptersOptions["combination"];
  /** The merge method that is applied in core space; undefined for the combinations of PEFT. */
  readonly rule: MergeMethod | undefined;
}

/** Prefix of the name of a merge method that is applied in core space. */
const CORE = "core_";

const WEIGHT: ParameterSpec = {
  description: "What the adapter's changes are multiplied by; weights are not divided by their sum.",
  of: "network",
};
const RANK: ParameterSpec = {
  description: "Rank of the result; the largest rank of the adapters if it is not given.",
  of: "merge",
  least: 1,
};
const DENSITY: ParameterSpec = {
  description: "Share of the elements of each matrix that is kept.",
  of: "merge",
  default: 1,
  least: 0,
  most: 1,
};
const PEFT = "PEFT, add_weighted_adapter";

/** Combinations as PEFT names them. */
export const COMBINATIONS: readonly AdapterMethod[] = [
  {
    name: "linear",
    description: "Adds the matrices A and B of adapters of one rank: fast and rough.",
    parameters: { weight: WEIGHT },
  },
  {
    name: "cat",
    description: "Adds the changes exactly, by matrices side by side: ranks add up.",
    parameters: { weight: WEIGHT },
  },
  {
    name: "svd",
    description: "Keeps the largest singular values of the sum of changes.",
    parameters: { weight: WEIGHT, rank: RANK },
    keepsTensor: true,
  },
  {
    name: "ties",
    description:
      "Trims the matrices A and B of adapters of one rank, and averages elements of elected signs.",
    parameters: { weight: WEIGHT, density: DENSITY },
  },
].map((method) => ({
  ...method,
  source: PEFT,
  combination: method.name as AdapterMethod["combination"],
  rule: undefined,
}));

/**
 * Lists the methods of merging adapters by their names: PEFT's `linear`, `cat`, `svd` and `ties`, and
 * `core_NAME` for each merge method, which core space applies with the parameters of that method.
 */
export function listAdapterMethods(
  methods: ReadonlyMap<string, MergeMethod>,
): ReadonlyMap<string, AdapterMethod> {
  const inCore = [...methods.values()].map((rule): AdapterMethod => {
    const { description, source, parameters } = rule;
    const name = CORE + rule.name;
    return { name, description, source, parameters, keepsTensor: true, combination: "core", rule };
  });
  return new Map([...COMBINATIONS, ...inCore].map((method) => [method.name, method]));
}

/** Says which method of merging adapters to write in place of a name that adapters do not have. */
export function explainAdapterMethod(name: string, methods: ReadonlyMap<string, AdapterMethod>): string {
  const names = COMBINATIONS.map((method) => method.name).join(", ");
  if (methods.has(CORE + name))
    return `is "${name}", which merges full networks; adapters are merged by ${names}, or by "${CORE}${name}", the same in core space`;
  return `is "${name}"; adapters are merged by ${names}, or by ${CORE}NAME for a method of networks, as ${CORE}tsv_m`;
}
