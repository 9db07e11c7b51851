import {
  type MergeAdaptersOptions,
  type MergeMethod,
  type ParameterSpec,
  PEFT_COMBINATIONS,
  type PeftCombination,
} from "@isthmus/merging";

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
const SIGNS: ParameterSpec = {
  description: "How signs are elected: by the sum of elements (total), or by their number (frequency).",
  of: "merge",
  default: "total",
  choices: ["total", "frequency"],
};
const PEFT = "PEFT, add_weighted_adapter";

/** Descriptions of PEFT's combinations, and their parameters other than the weights of adapters. */
const OF_PEFT: {
  readonly [name in PeftCombination]: readonly [
    description: string,
    parameters: Readonly<Record<string, ParameterSpec>>,
  ];
} = {
  linear: ["Adds the factors A and B of adapters of one rank: fast and rough.", {}],
  svd: ["Keeps the largest singular values of the sum of changes.", { rank: RANK }],
  cat: ["Adds the changes exactly, by matrices side by side: ranks add up.", {}],
  ties: [
    "Trims the factors A and B of adapters of one rank, and averages elements of elected signs: rough.",
    { density: DENSITY, majority_sign_method: SIGNS },
  ],
  ties_svd: [
    "Trims the changes, averages elements of elected signs, and keeps the largest singular values.",
    { density: DENSITY, majority_sign_method: SIGNS, rank: RANK },
  ],
  dare_ties: [
    "Drops elements of the factors A and B by chance, and averages elements of elected signs: rough.",
    { density: DENSITY, majority_sign_method: SIGNS },
  ],
  dare_linear: [
    "Drops elements of the factors A and B by chance, and adds the others, scaled up: rough.",
    { density: DENSITY },
  ],
  dare_ties_svd: [
    "Drops elements of the changes by chance, elects signs, and keeps the largest singular values.",
    { density: DENSITY, majority_sign_method: SIGNS, rank: RANK },
  ],
  dare_linear_svd: [
    "Drops elements of the changes by chance, adds the others, and keeps the largest singular values.",
    { density: DENSITY, rank: RANK },
  ],
  magnitude_prune: [
    "Trims the factors A and B of adapters of one rank to their largest elements, and adds them: rough.",
    { density: DENSITY },
  ],
  magnitude_prune_svd: [
    "Trims the changes to their largest elements, adds them, and keeps the largest singular values.",
    { density: DENSITY, rank: RANK },
  ],
};

/** Combinations as PEFT names them. */
export const COMBINATIONS: readonly AdapterMethod[] = PEFT_COMBINATIONS.map((name) => {
  const [description, parameters] = OF_PEFT[name];
  return {
    name,
    description,
    source: PEFT,
    parameters: { weight: WEIGHT, ...parameters },
    combination: name,
    rule: undefined,
    ...(parameters["rank"] === undefined ? {} : { keepsTensor: true }),
  };
});

/**
 * Lists the methods of merging adapters by their names: the eleven of PEFT, and
 * `core_NAME` for each merge method without data, which core space applies with the parameters of that
 * method.
 */
export function listAdapterMethods(
  methods: ReadonlyMap<string, MergeMethod>,
): ReadonlyMap<string, AdapterMethod> {
  const rules = [...methods.values()].filter(({ needs }) => needs === undefined);
  const inCore = rules.map((rule): AdapterMethod => {
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
