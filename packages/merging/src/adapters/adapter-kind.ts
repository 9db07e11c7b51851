/** A kind of small change of a network that is stored by itself, told by the names of its tensors. */
export interface AdapterKind {
  /** The name that users know, such as `LoRA` or `LoKr`. */
  readonly name: string;
  /** The first tensor whose name shows it. */
  readonly tensor: string;
  /**
   * Whether the weights of the whole network are beside it, as where PEFT saves a model with its adapters.
   */
  readonly isWithNetwork: boolean;
}

/**
 * Kinds of adapters, by the ends of names that PEFT, llama.cpp, kohya's sd-scripts, LyCORIS and diffusers
 * give their tensors. Of several that fit, the first counts: a file of DoRA has the factors of LoRA, too.
 */
const KINDS: readonly (readonly [string, RegExp])[] = [
  ["DoRA", /\.(dora_scale|lora_magnitude_vector(\..+)?)$/],
  ["LoHa", /\.hada_(w[12]_[ab]|t[12])(\.|$)/],
  ["LoKr", /\.lokr_(w[12](_[ab])?|t[12])(\.|$)/],
  ["OFT", /\.(oft_(blocks|diag|r)|boft_(r|s))(\.|$)/i],
  ["VeRA", /\.vera_(lambda_[bd]|[AB])(\.|$)/],
  ["IA3", /\.(ia3_l(\.|$)|on_input$)/],
  ["LoRA", /\.lora_(A|B|embedding_A|embedding_B)(\.|$)|\.lora_(up|down|mid)\.weight$/],
  ["LoRA", /\.lora_[ab]$/],
  ["LoRA", /[._]lora(_linear_layer|_layer)?\.(up|down)\.weight$/],
];

/**
 * Ends of names of factors that are multiplied with each other, the rest being the name of their module. A
 * scale in a tensor of its own is one, too; alone it is no sign of an adapter.
 */
const FACTORS: readonly RegExp[] = [
  /\.(lora_(?:A|B|embedding_A|embedding_B))(?:\..+)?$/,
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
 * @returns undefined if none of them belongs to an adapter
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

/** A factor of a change that is a product. */
export interface AdapterFactor {
  /** Name of the module whose weight is changed. */
  readonly module: string;
  /** Which of the factors it is, such as `lora_A` or `up`. */
  readonly factor: string;
}

/** Finds the factor that a tensor is, by its name; undefined if it is none. */
export function findAdapterFactor(name: string): AdapterFactor | undefined {
  for (const pattern of FACTORS) {
    const match = pattern.exec(name);
    if (match?.[1] !== undefined) return { module: name.slice(0, match.index), factor: match[1] };
  }
  return undefined;
}

function isAdapterTensor(name: string): boolean {
  return /[._]alpha$/.test(name) || KINDS.some(([, pattern]) => pattern.test(name));
}
