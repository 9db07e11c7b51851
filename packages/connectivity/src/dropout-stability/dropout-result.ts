import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import type { LossFields } from "@isthmus/graph";
import { NORM_POLICIES, type NormPolicy } from "@isthmus/statistics";
import { z } from "zod";
import { UNIT_CHOICES, type UnitChoice } from "./choose-units.ts";
import { RESCALINGS, type Rescaling } from "./fit-factor.ts";

/** Loss and error of a network of which units are taken out in one layer and all layers behind it. */
export interface DroppedLayers {
  /** Name of the first of these layers. */
  readonly from: string;
  /** Units of this layer that stay. */
  readonly units: number;
  /** Number by which they are rescaled. */
  readonly factor: number;
  readonly loss: number;
  readonly error: number;
}

/** One choice of the units that stay. */
export interface DropoutTrial {
  /** The last layer first, then with one layer more each time. */
  readonly steps: readonly DroppedLayers[];
  /** Largest loss of a step less the loss of the network; it may be below 0. */
  readonly rise: number;
}

/** How well a network does with a share of its units. */
export interface DropoutShare {
  readonly share: number;
  readonly trials: readonly DropoutTrial[];
  /** Of the rises of all trials. */
  readonly rise: { readonly mean: number; readonly min: number; readonly max: number };
}

/** How much the loss of a network rises when only a share of the units of its layers stays. */
export interface DropoutStabilityResult extends LossFields {
  readonly kind: "dropout-stability";
  /** Loss and error of the network as it is. */
  readonly loss: number;
  readonly error: number;
  /** In the order in which they are read. */
  readonly layers: readonly { readonly name: string; readonly units: number }[];
  /** Layers that are left as they are, with reasons, by name. */
  readonly left: Readonly<Record<string, string>>;
  readonly shares: readonly DropoutShare[];
  readonly choice: UnitChoice;
  readonly rescale: Rescaling;
  readonly statistics: NormPolicy;
  readonly examples: number;
  readonly data: string;
  readonly network: string;
  readonly seed: number;
  readonly engine: string;
}

const whole = count(0);
const step = z.looseObject({ from: text, units: whole, factor: z.number(), loss: MEASURED, error: MEASURED });

/** Form of the dropout stability of a network, as files hold it. */
export const DROPOUT_STABILITY_FORM: z.ZodType = schemaOf<DropoutStabilityResult>()(
  z.looseObject({
    kind: z.literal("dropout-stability"),
    ...LOSS_FORM,
    loss: MEASURED,
    error: MEASURED,
    layers: z.array(z.looseObject({ name: text, units: whole })),
    left: z.record(text, text),
    shares: z.array(
      z.looseObject({
        share: z.number(),
        trials: z.array(z.looseObject({ steps: z.array(step), rise: MEASURED })).min(1),
        rise: z.looseObject({ mean: MEASURED, min: MEASURED, max: MEASURED }),
      }),
    ),
    choice: z.enum(UNIT_CHOICES),
    rescale: z.enum(RESCALINGS),
    statistics: z.enum(NORM_POLICIES),
    examples: whole,
    data: text,
    network: text,
    seed: whole,
    engine: text,
  }),
);
