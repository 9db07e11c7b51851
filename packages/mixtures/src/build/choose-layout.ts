import { UnsupportedError, UsageError } from "@isthmus/core";
import { ADAPTER_LAYOUTS } from "../adapters/adapter-layout.ts";
import type { DenseModel, Trait } from "./dense-model.ts";
import { TRAITS } from "./dense-traits.ts";
import type { MixtureLayout } from "./mixture-layout.ts";
import { MIXTURE_LAYOUTS } from "./mixture-layouts.ts";

/** Properties of a mixture that its layout must carry. */
export interface CarriedMixture {
  /** Model of everything but the experts. */
  readonly base: DenseModel;
  /** Number of shared experts. */
  readonly shared: number;
  /** Number of first layers without experts. */
  readonly dense: number;
  /** Number of experts that each token is sent to. */
  readonly active: number;
  /** Whether shared experts can have gates: they have prompts, or the gates need none. */
  readonly isGated: boolean;
  /** Whether shared experts have prompts, which only a layout with gates for them can use. */
  readonly hasSharedPrompts: boolean;
}

/** A layout, and what of the base it leaves out without harm to short texts. */
export interface ChosenLayout {
  /** The layout. */
  readonly layout: MixtureLayout;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/** Traits that a layout may leave out: texts up to the length of the window are computed alike. */
const DROPPED: readonly Trait[] = ["windows", "someWindows"];

/**
 * Chooses the layout of a mixture: the first layout with the name in the recipe that carries the models.
 * @param architecture - beginning of the name of the layout, in any case; undefined for any layout
 * @throws UsageError if no layout has such a name
 * @throws UnsupportedError if no layout carries the models; the message says what each lacks
 */
export function chooseLayout(mixture: CarriedMixture, architecture: string | undefined): ChosenLayout {
  const named = MIXTURE_LAYOUTS.filter(({ name }) =>
    name.toLowerCase().startsWith((architecture ?? "").toLowerCase()),
  );
  if (named.length === 0) {
    throw new UsageError(
      `Cannot make a mixture of the architecture "${architecture}" as it must be the beginning of a layout's name: there are ${[...MIXTURE_LAYOUTS, ...ADAPTER_LAYOUTS].map(({ name }) => name).join(", ")}`,
    );
  }
  const judged = named.map((layout) => ({ layout, lacks: lacksOf(layout, mixture) }));
  const chosen = judged.find(({ lacks }) => lacks.length === 0);
  if (chosen !== undefined) return { layout: chosen.layout, notes: notesOn(chosen.layout, mixture) };
  const reasons = judged.map(({ layout, lacks }) => `${layout.name} ${lacks.join(", and ")}`);
  throw new UnsupportedError(
    `Cannot make a mixture of "${mixture.base.name}" as a layout must carry all of the models: ${reasons.join("; ")}`,
    { feature: mixture.base.type },
  );
}

/** Lists what keeps a layout from carrying the models, as ends of sentences that begin with its name. */
function lacksOf(layout: MixtureLayout, mixture: CarriedMixture): readonly string[] {
  const { base, shared, isGated, hasSharedPrompts } = mixture;
  const lacks = [...base.traits]
    .filter((trait) => !layout.carries.includes(trait) && !DROPPED.includes(trait))
    .map((trait) => `has no ${TRAITS[trait].what}`);
  if (layout.requires !== undefined && !base.traits.has(layout.requires))
    lacks.push(`needs ${TRAITS[layout.requires].what}, which the base has not`);
  if (mixture.dense > 0 && !layout.hasDenseLayers) lacks.push("has experts in all layers");
  if (shared > 1) lacks.push("has one shared expert at most");
  else if (shared === 1 && layout.shared === "none") lacks.push("has no shared experts");
  else if (layout.shared === "plain" && hasSharedPrompts)
    lacks.push("has no gate for its shared expert, which must have no prompts");
  else if (layout.shared === "gated" && shared === 1 && !isGated)
    lacks.push("gates its shared expert, which must have positive_prompts");
  else if (layout.shared === "gated" && shared === 0 && !base.traits.has("inputBiases"))
    lacks.push("has one shared expert, and shared_experts names none");
  return lacks;
}

function notesOn(
  { name, carries, alone }: MixtureLayout,
  { base, shared, active }: CarriedMixture,
): readonly string[] {
  const notes = DROPPED.filter((trait) => base.traits.has(trait) && !carries.includes(trait)).map(
    (trait) =>
      `${name} has no ${TRAITS[trait].what}: the result attends to all tokens, which differs from the base beyond ${base.config["sliding_window"]} tokens`,
  );
  if (name === "Qwen MoE" && shared === 0)
    notes.push(`${name} always has a shared expert: as shared_experts names none, one of zeros is written`);
  if (active === 1 && alone !== undefined) notes.push(`${name} ${alone}`);
  return notes;
}
