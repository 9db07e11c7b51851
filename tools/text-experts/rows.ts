import { join } from "node:path";

/** Corpora of the experts, which are named like them. */
export const CORPORA = ["shakespeare", "code", "language"] as const;

/** One of the corpora. */
export type Corpus = (typeof CORPORA)[number];

/** A network of the table, and how it is made. */
export interface Row {
  /** Name of the row. */
  readonly name: string;
  /** Recipes that are written first, by their paths. */
  readonly files?: Readonly<Record<string, string>>;
  /** Words of the command lines that make it, after `isthmus`; none for what is there. */
  readonly commands: readonly (readonly string[])[];
  /** Folder of the network, or of a network for the text of each corpus. */
  readonly network: string | Readonly<Record<Corpus, string>>;
}

/** Text in prompts of the mixture, a few words of each corpus. */
const PROMPTS: Readonly<Record<Corpus, readonly string[]>> = {
  shakespeare: ["My lord, what is your will?", "KING HENRY:\nGood morrow, cousin."],
  code: [
    "export function map<T, R>(project: (value: T) => R) {\n  return",
    "import { Observable } from '../Observable';",
  ],
  language: [
    "Das System wird mit dem folgenden Befehl eingerichtet:",
    "Sie können die Datei in einem Editor öffnen.",
  ],
};

/** Form of the trained models. */
export interface RowsOptions {
  /** Tokens of a window. */
  readonly length: number;
  /** First layer in which the experts differ from the base, in the feed-forward networks alone; 0 for all weights. */
  readonly firstLayer: number;
  /** Whether a model that learned from all corpora stands beside the experts. */
  readonly hasJoint: boolean;
}

/** Tokens of each corpus for weights, and for routers by regression. */
const FEW_TOKENS = 8 * 1024;
const ROUTER_TOKENS = 16 * 1024;

/** Windows of a training text before those that a second row of the routers learns from. */
const LATER_WINDOWS = 256;

/** Returns the rows: the trained models in a folder, and what is made of them in another. */
export function rowsOf(folder: string, out: string, options: RowsOptions): readonly Row[] {
  const { length, firstLayer, hasJoint } = options;
  const FEW = FEW_TOKENS / length;
  const model = (name: string) => join(folder, name);
  const made = (name: string) => join(out, name);
  const text = (corpus: Corpus) => `text:${join(folder, "data", `${corpus}-train.txt`)},context=${length}`;
  const few = (corpus: Corpus) => `${text(corpus)}:train@${FEW}`;
  const routed = (corpus: Corpus) => `${text(corpus)}:train@${ROUTER_TOKENS / length}`;
  const data = CORPORA.flatMap((corpus) => ["--data", routed(corpus)]);
  const there = (name: string): Row => ({ name, commands: [], network: model(name) });
  const merge = (method: string, parameters: string): string =>
    [
      `merge_method: ${method}`,
      ...(method === "linear" ? [] : [`base_model: ${model("base")}`]),
      `parameters: ${parameters}`,
      "models:",
      ...CORPORA.map((corpus) => `  - model: ${model(corpus)}`),
      "",
    ].join("\n");
  const byRecipe = (name: string, recipe: string): Row => {
    const file = made(`${name}.yml`);
    const network = made(name);
    return { name, files: { [file]: recipe }, commands: [["merge", file, "-o", network]], network };
  };
  const tuned = (name: string, method: string, options: readonly string[]): Row => {
    const [file, found, network] = [made(`${name}.yml`), made(`${name}-found.yml`), made(name)];
    const named = CORPORA.flatMap((corpus) => ["--data", `${corpus}=${few(corpus)}`]);
    return {
      name,
      files: { [file]: merge(method, "{ lambda: 1, normalize: false }") },
      commands: [
        ["tune-merge", file, ...options, ...named, "-o", found],
        ["merge", found, "-o", network],
      ],
      network,
    };
  };
  /** Heals a network by experts, each on all of its text. */
  const heal = (from: string, to: string, experts: readonly Corpus[], options: readonly string[]) => [
    "heal",
    made(from),
    "--from",
    ...experts.map(model),
    "--data",
    ...experts.map((corpus) => `${text(corpus)}:train`),
    "--eval-data",
    ...experts.map((corpus) => `${text(corpus)}:test@${FEW / 8}`),
    ...options,
    "-o",
    made(to),
  ];
  const mixture = (base: string): string =>
    [
      `base_model: ${base}`,
      "gate_mode: hidden",
      "architecture: mixtral",
      "dtype: float32",
      "experts_per_token: 1",
      "experts:",
      ...CORPORA.flatMap((corpus) => [
        `  - source_model: ${model(corpus)}`,
        `    positive_prompts: ${JSON.stringify(PROMPTS[corpus])}`,
      ]),
      "",
    ].join("\n");
  const byPrompts = (name: string, base: string) => {
    const recipe = made(`${name}.yml`);
    return { files: { [recipe]: mixture(base) }, command: ["moe", recipe, "-o", made(name)] };
  };
  const byRidge = (from: string, to: string) => [
    "experts",
    made(from),
    ...data,
    "--fit-routers",
    "-o",
    made(to),
  ];
  /** For the text of each corpus, other weights with the feed-forward networks of its expert. */
  const withUnits = (name: string, others: readonly string[]): Row => {
    const rows = CORPORA.map((corpus) => {
      const models = [...new Set([...others, corpus])].map((other) => {
        const [units, rest] = [other === corpus, others.includes(other)].map(Number);
        const weight = `[{ filter: mlp, value: ${units} }, { value: ${rest} }]`;
        return `  - { model: ${model(other)}, parameters: { weight: ${weight} } }`;
      });
      return byRecipe(`${name}-${corpus}`, ["merge_method: linear", "models:", ...models, ""].join("\n"));
    });
    return {
      name,
      files: Object.assign({}, ...rows.map(({ files }) => files)),
      commands: rows.flatMap(({ commands }) => commands),
      network: Object.fromEntries(CORPORA.map((corpus) => [corpus, made(`${name}-${corpus}`)])) as Readonly<
        Record<Corpus, string>
      >,
    };
  };
  /** The recipe of a mixture whose routers learn from a text of each expert; an expert is there as often as it has texts. */
  const ridge = (base: string, form: readonly string[], ...data: ((corpus: Corpus) => string)[]): string =>
    [
      `base_model: ${base}`,
      "gate_mode: ridge",
      "dtype: float32",
      ...form,
      "experts:",
      ...CORPORA.flatMap((corpus) =>
        data.map((text) => `  - { source_model: ${model(corpus)}, data: ${JSON.stringify(text(corpus))} }`),
      ),
      "",
    ].join("\n");
  /** A mixture whose first layers, in which all experts are the base, have no experts; all three see each token. */
  const forms = (experts: number) => [
    "architecture: deepseek",
    `experts_per_token: ${experts}`,
    `dense_layers: ${firstLayer}`,
  ];
  const dense: Row = {
    name: "mixture-dense",
    files: { [made("mixture-dense.yml")]: ridge(model("base"), forms(CORPORA.length), routed) },
    commands: [["moe", made("mixture-dense.yml"), "-o", made("mixture-dense")]],
    network: made("mixture-dense"),
  };
  /** The same with a second row of the routers for each expert, which learns from windows far behind the first ones. */
  const further = (corpus: Corpus) => {
    const windows = ROUTER_TOKENS / length;
    return `${text(corpus)}:train@${LATER_WINDOWS + 1}..${LATER_WINDOWS + windows}`;
  };
  const twice: Row = {
    name: "mixture-dense-twice",
    files: {
      [made("mixture-dense-twice.yml")]: ridge(model("base"), forms(2 * CORPORA.length), routed, further),
    },
    commands: [["moe", made("mixture-dense-twice.yml"), "-o", made("mixture-dense-twice")]],
    network: made("mixture-dense-twice"),
  };
  /** Steps for a mixture; the rate is low if all that experts learned is in it, so that it is near to them. */
  const tuning = (steps: number) => [
    "--steps",
    String(steps),
    ...(firstLayer === 0 ? [] : ["--lr", "0.0003"]),
  ];
  const prompts = byPrompts("mixture-prompts", model("base"));
  /**
   * Mixtures that are merged with each other: with the attention of one expert each, and routers by regression
   * on its hidden states; or, if experts share attention, the dense mixture after each expert tuned it on its
   * text.
   */
  const sparse = ["architecture: mixtral", "experts_per_token: 1"];
  const parents = CORPORA.map((corpus) => {
    const [name, recipe] = [`of-${corpus}`, made(`of-${corpus}.yml`)];
    return firstLayer === 0
      ? { files: { [recipe]: ridge(model(corpus), sparse, few) }, command: ["moe", recipe, "-o", made(name)] }
      : { files: {}, command: heal("mixture-dense", name, [corpus], tuning(20)) };
  });
  const merged = made("mixtures-merged.yml");
  const mixtures = CORPORA.map((corpus) => made(`of-${corpus}`));
  return [
    there("base"),
    ...CORPORA.map(there),
    ...(hasJoint ? [there("joint")] : []),
    byRecipe("average", merge("linear", "{ weight: 1 }")),
    byRecipe("ties", merge("ties", "{ weight: 1, density: 0.5, lambda: 0.4 }")),
    {
      name: "mixture-prompts",
      files: prompts.files,
      commands: [prompts.command],
      network: made("mixture-prompts"),
    },
    {
      name: "mixture-ridge",
      commands: [byRidge("mixture-prompts", "mixture-ridge")],
      network: made("mixture-ridge"),
    },
    firstLayer === 0 ? withUnits("right-expert", ["base"]) : dense,
    ...(firstLayer === 0 ? [] : [twice]),
    tuned("tuned-closed-form", "task_arithmetic", ["--objective", "output-space", "--by", "layer"]),
    tuned("tuned-by-loss", "task_arithmetic", [
      "--objective",
      "loss",
      "--by",
      "layer",
      "--steps",
      "30",
      "--lr",
      "0.06",
    ]),
    {
      name: "mixtures-merged",
      files: {
        ...Object.assign({}, ...parents.map(({ files }) => files)),
        [merged]: [
          "merge_method: linear",
          "models:",
          ...mixtures.map((path) => `  - model: ${path}`),
          "",
        ].join("\n"),
      },
      commands: [...parents.map(({ command }) => command), ["merge", merged, "-o", made("mixtures-merged")]],
      network: made("mixtures-merged"),
    },
    ...(firstLayer === 0 ? [withUnits("merged-right-expert", CORPORA)] : []),
    {
      name: "mixtures-realigned",
      commands: [
        [
          "experts",
          made("mixtures-merged"),
          "--realign",
          "--from",
          ...mixtures,
          "--data",
          ...CORPORA.map(few),
          "-o",
          made("mixtures-realigned"),
        ],
      ],
      network: made("mixtures-realigned"),
    },
    {
      name: "healed-average",
      commands: [heal("average", "healed-average", CORPORA, ["--steps", "60"])],
      network: made("healed-average"),
    },
    {
      name: "healed-mixture",
      commands: [
        heal(firstLayer === 0 ? "mixture-ridge" : "mixture-dense", "healed-mixture", CORPORA, tuning(30)),
      ],
      network: made("healed-mixture"),
    },
  ];
}
