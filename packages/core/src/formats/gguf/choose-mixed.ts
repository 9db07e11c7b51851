import { at } from "../../invariant.ts";
import type { GgufEncoding } from "./gguf-encodings.ts";

/** Facts about a model on which the types of its tensors depend. */
export interface MixedModel {
  /** Name of the architecture, such as `llama`. */
  readonly architecture: string;
  /** Number of layers. */
  readonly layers: number;
  /** Number of experts of a mixture; 0 or 1 for others. */
  readonly experts: number;
  /** Heads of queries that share one of keys and values. */
  readonly queriesPerKey: number;
  /** Whether the head is a tensor of its own; else it is the embedding. */
  readonly hasHead: boolean;
  /** Whether it is a model of 70 billion parameters, whose values are small. */
  readonly isSeventy: boolean;
  /** Whether there is an importance matrix. */
  readonly hasImportance: boolean;
}

/** Role of a matrix in a model. */
type Category = "output" | "embedding" | "values" | "keys" | "attentionOutput" | "down" | "other";

/** Roles of matrices, by the part of the name that tells each; the first that fits counts. */
const CATEGORIES: readonly (readonly [RegExp, Category])[] = [
  [/^output\.weight$/, "output"],
  [/^(per_layer_)?token_embd\.weight$/, "embedding"],
  // Matrices that hold keys or queries beside values count as values, which need the most bits.
  [/attn_(qkv|kv_b|v)\.weight/, "values"],
  [/attn_k\.weight/, "keys"],
  [/attn_q\.weight/, "other"],
  [/attn_output\.weight/, "attentionOutput"],
  [/ffn_(up|gate)/, "other"],
  [/ffn_down/, "down"],
];

/** Returns the role of a matrix by its name. */
export function categoryOf(name: string): Category {
  return CATEGORIES.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/** A matrix of a role: its number among those, and how many there are. */
interface Place {
  readonly index: number;
  readonly count: number;
}

/** Returns the type of a matrix if it differs from the main one. */
type Rule = (place: Place, model: MixedModel) => string | undefined;

const isFalcon = ({ architecture }: MixedModel): boolean => architecture === "falcon";

/** Checks whether a layer is among the first eighth, the last eighth, or every third between. */
function getsMoreBits({ index, count }: Place): boolean {
  const eighth = Math.floor(count / 8);
  return index < eighth || index >= Math.floor((7 * count) / 8) || (index - eighth) % 3 === 2;
}

const isFirstEighth = ({ index, count }: Place): boolean => index < Math.floor(count / 8);

/** Rules for values, and for matrices that have them with keys and queries. */
const VALUES: Readonly<Partial<Record<GgufEncoding, Rule>>> = {
  q2_k: (_, { queriesPerKey }) => (queriesPerKey >= 4 ? "Q4_K" : "Q3_K"),
  q3_k_m: ({ index }) => (index < 2 ? "Q5_K" : "Q4_K"),
  q3_k_l: () => "Q5_K",
  iq4_nl: (_, { queriesPerKey }) => (queriesPerKey >= 4 ? "Q5_K" : undefined),
  iq4_xs: (_, { queriesPerKey }) => (queriesPerKey >= 4 ? "Q5_K" : undefined),
  q4_k_m: (place) => (getsMoreBits(place) ? "Q6_K" : undefined),
  q5_k_m: (place) => (getsMoreBits(place) ? "Q6_K" : undefined),
  q4_k_s: ({ index }) => (index < 4 ? "Q5_K" : undefined),
};

/** Rules for the end of the feed-forward part, whose errors hurt most. */
const DOWN: Readonly<Partial<Record<GgufEncoding, Rule>>> = {
  q2_k: () => "Q3_K",
  q3_k_m(place, model) {
    if (place.index < Math.floor(place.count / 16)) return "Q5_K";
    return !isFalcon(model) || getsMoreBits(place) ? "Q4_K" : "Q3_K";
  },
  q3_k_l: (_, model) => (isFalcon(model) ? "Q4_K" : "Q5_K"),
  q4_k_m(place, model) {
    if (!isFalcon(model)) return getsMoreBits(place) ? "Q6_K" : undefined;
    if (place.index < Math.floor(place.count / 16)) return "Q6_K";
    return getsMoreBits(place) ? "Q5_K" : "Q4_K";
  },
  q5_k_m: (place) => (getsMoreBits(place) ? "Q6_K" : undefined),
  q4_k_s: (place, model) => (!isFalcon(model) && isFirstEighth(place) ? "Q5_K" : undefined),
  iq4_nl: (place, { hasImportance }) => (isFirstEighth(place) && !hasImportance ? "Q5_K" : undefined),
  iq4_xs: (place, { hasImportance }) => (isFirstEighth(place) && !hasImportance ? "Q5_K" : undefined),
  q4_0: (place, { hasImportance }) => (isFirstEighth(place) && hasImportance ? "Q4_1" : undefined),
  q5_0: (place, { hasImportance }) => (isFirstEighth(place) && hasImportance ? "Q5_1" : undefined),
};

/** Types of the output of attention; with eight experts, {@link EIGHT_EXPERTS} have more bits. */
const ATTENTION_OUTPUT: Readonly<Partial<Record<GgufEncoding, string>>> = {
  q2_k: "Q3_K",
  q3_k_m: "Q4_K",
  q3_k_l: "Q5_K",
};
const EIGHT_EXPERTS: ReadonlySet<GgufEncoding> = new Set([
  "q2_k",
  "q3_k_s",
  "q3_k_m",
  "q4_k_s",
  "q4_k_m",
  "iq4_nl",
  "iq4_xs",
]);

/**
 * Chooses the types of matrices that differ from the main type of an encoding, as llama.cpp does. The head,
 * or the embedding that is also the head, gets `head`, which stands for a type that fits its rows.
 * @param names - names of the matrices in the order in which layers count
 * @see https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp, `llama_tensor_get_type_impl`
 */
export function chooseMixed(
  names: readonly string[],
  model: MixedModel,
  encoding: GgufEncoding,
): ReadonlyMap<string, string> {
  const values = names.filter((name) => categoryOf(name) === "values").length;
  const done = new Map<Category, number>();
  const types = new Map<string, string>();
  for (const name of names) {
    const category = categoryOf(name);
    const index = done.get(category) ?? 0;
    done.set(category, index + 1);
    const type = typeOfMatrix({ name, category, index, values }, model, encoding);
    if (type !== undefined) types.set(name, type);
  }
  return types;
}

/** A matrix, and its number among the matrices of its role. */
interface CountedMatrix {
  readonly name: string;
  readonly category: Category;
  readonly index: number;
  /** Number of matrices of values in the model. */
  readonly values: number;
}

function typeOfMatrix(
  { name, category, index, values }: CountedMatrix,
  model: MixedModel,
  encoding: GgufEncoding,
): string | undefined {
  if (category === "output" || (category === "embedding" && !model.hasHead))
    return isFalcon(model) ? "Q8_0" : "head";
  if (category === "values") return typeOfValues({ index, count: values }, model, encoding);
  if (category === "keys") return model.experts === 8 ? "Q8_0" : undefined;
  if (category === "down") return DOWN[encoding]?.(placeOf(name, index, model), model);
  return category === "attentionOutput" ? typeOfAttentionOutput(model, encoding) : undefined;
}

function typeOfValues(place: Place, model: MixedModel, encoding: GgufEncoding): string | undefined {
  if (model.experts === 8) return "Q8_0";
  const type = VALUES[encoding]?.(place, model);
  const hasFew = type === "Q3_K" || type === "Q4_K" || (type === undefined && /^q[34]_k/.test(encoding));
  return model.isSeventy && hasFew ? "Q5_K" : type;
}

/** Returns the layer of a matrix; in mixtures, whose experts do not follow each other, by its name. */
function placeOf(name: string, index: number, { experts, layers }: MixedModel): Place {
  if (experts <= 1) return { index, count: layers };
  return { index: Number(at(/^blk\.(\d+)\./.exec(name) ?? ["", "0"], 1, "number")), count: layers };
}

function typeOfAttentionOutput(model: MixedModel, encoding: GgufEncoding): string | undefined {
  if (isFalcon(model)) return encoding === "q3_k_l" ? "Q4_K" : undefined;
  if (model.experts === 8) return EIGHT_EXPERTS.has(encoding) ? "Q5_K" : undefined;
  return ATTENTION_OUTPUT[encoding];
}
