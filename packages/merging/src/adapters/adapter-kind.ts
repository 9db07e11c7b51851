/**
 * A kind of adapter, which is recognised by the names of its tensors. An adapter is a small change of a
 * network in a separate file.
 */
export interface AdapterKind {
  /** Common name of the kind, such as `LoRA` or `LoKr`. */
  readonly name: string;
  /** Name of the first tensor that shows the kind. */
  readonly tensor: string;
  /**
   * Whether the file also has the weights of the whole network, for example if PEFT saved a model with its
   * adapters.
   */
  readonly isWithNetwork: boolean;
}

/**
 * Kinds of adapters, by the ends of names that PEFT, llama.cpp, kohya's sd-scripts, LyCORIS and diffusers
 * give to tensors. The first kind that fits is taken: a file of DoRA has the factors of LoRA, too.
 */
const KINDS: readonly (readonly [string, RegExp])[] = [
  ["DoRA", /\.(dora_scale|lora_magnitude_vector(\..+)?)$/],
  ["LoHa", /\.hada_(w[12]_[ab]|t[12])(\.|$)/],
  ["LoKr", /\.lokr_(w[12](_[ab])?|t[12])(\.|$)/],
  ["OFT", /\.(oft_(blocks|diag|r)|boft_(r|s))(\.|$)/i],
  ["HRA", /\.hra_u(\.|$)/],
  ["trained tokens", /\.trainable_tokens_delta(\.|$)/],
  ["VeRA", /\.vera_(lambda_[bd]|[AB])(\.|$)/],
  ["IA3", /\.(ia3_l(\.|$)|on_input$)/],
  ["LoRA", /\.lora_(A|B|embedding_A|embedding_B)(\.|$)|\.lora_(up|down|mid)\.weight$/],
  ["LoRA", /\.lora_[ab]$/],
  ["LoRA", /[._]lora(_linear_layer|_layer)?\.(up|down)\.weight$/],
];

/**
 * Ends of the names of factors that are multiplied with each other; the text before them is the name of the
 * module. A scale in a separate tensor is a factor, too, but it does not show by itself that a file is an
 * adapter.
 */
const FACTORS: readonly RegExp[] = [
  // PEFT adds the bias of B without the scale of the adapter.
  /\.(lora_(?:A|B|embedding_A|embedding_B))(?:\.(?!.*bias$).+)?$/,
  /\.(lora_[ab])$/,
  /\.lora_(up|down|mid)\.weight$/,
  /[._]lora(?:_linear_layer|_layer)?\.(up|down)\.weight$/,
  /\.(hada_(?:w[12]_[ab]|t[12]))(?:\..+)?$/,
  /\.(lokr_(?:w[12](?:_[ab])?|t[12]))(?:\..+)?$/,
  /\.(vera_lambda_[bd])(?:\..+)?$/,
  /\.(alpha)$/,
];

/**
 * Finds out whether tensors belong to an adapter, by their names.
 * @returns undefined if no tensor belongs to an adapter
 */
export function findAdapterKind(names: Iterable<string>): AdapterKind | undefined {
  const all = [...names];
  const [found] = KINDS.flatMap(([name, pattern]) => {
    const tensor = all.find((one) => pattern.test(one));
    return tensor === undefined ? [] : [{ name, tensor }];
  });
  if (found === undefined) return undefined;
  const ofAdapter = all.filter(isAdapterTensor).length;
  const isWithNetwork = all.some((name) => name.includes(".base_layer.")) || 2 * ofAdapter < all.length;
  return { ...found, isWithNetwork };
}

/**
 * Role of a factor in a change `alpha / rank * B * A`; factors of other kinds of adapters have none.
 */
export type LowRankRole = "a" | "b" | "alpha";

/** Roles of factors by their names. */
const ROLES_OF_FACTORS: ReadonlyMap<string, LowRankRole> = new Map([
  ...["lora_A", "lora_embedding_A", "lora_a", "down"].map((name) => [name, "a"] as const),
  ...["lora_B", "lora_embedding_B", "lora_b", "up"].map((name) => [name, "b"] as const),
  ["alpha", "alpha"],
]);

/** A factor of a change that is a product of matrices. */
export interface AdapterFactor {
  /** Name of the module whose weight is changed. */
  readonly module: string;
  /** Name of the factor, such as `lora_A` or `up`. */
  readonly factor: string;
  /** Role of the factor in a change of LoRA; undefined for factors of other kinds. */
  readonly role: LowRankRole | undefined;
}

/** Finds by its name which factor a tensor is; undefined if it is not a factor. */
export function findAdapterFactor(name: string): AdapterFactor | undefined {
  for (const pattern of FACTORS) {
    const match = pattern.exec(name);
    if (match?.[1] === undefined) continue;
    const [, factor] = match;
    return { module: name.slice(0, match.index), factor, role: ROLES_OF_FACTORS.get(factor) };
  }
  return undefined;
}

function isAdapterTensor(name: string): boolean {
  return /[._]alpha$/.test(name) || KINDS.some(([, pattern]) => pattern.test(name));
}
