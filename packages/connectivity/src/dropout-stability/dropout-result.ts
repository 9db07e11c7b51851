import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import type { LossFields } from "@isthmus/graph";
import { NORM_POLICIES, type NormPolicy } from "@isthmus/statistics";
import * as z from "zod";
import { UNIT_CHOICES, type UnitChoice } from "./choose-units.ts";
import { RESCALINGS, type Rescaling } from "./fit-factor.ts";

/** Loss and error of a network without some units of one layer and of all layers behind it. */
export interface DroppedLayers {
  /** Name of the first layer that loses units. */
  readonly from: string;
  /** Number of units of this layer that stay. */
  readonly units: number;
  /** Factor by which these units are rescaled. */
  readonly factor: number;
  /** Mean loss over the examples. */
  readonly loss: number;
  /** Share of wrong predictions, in `[0, 1]`; NaN if the loss has no notion of errors. */
  readonly error: number;
}

/** Results for one choice of the units that stay. */
export interface DropoutTrial {
  /** Results without units of the last layer, then with one layer more each time. */
  readonly steps: readonly DroppedLayers[];
  /** Largest loss of a step minus the loss of the network; it may be below 0. */
  readonly rise: number;
}

/** Results of a network with a share of its units. */
export interface DropoutShare {
  /** Share of the units of each layer that stay, above 0 and at most 1. */
  readonly share: number;
  /** Results for each choice of the units that stay. */
  readonly trials: readonly DropoutTrial[];
  /** Statistics of the rises of all trials. */
  readonly rise: { readonly mean: number; readonly min: number; readonly max: number };
}

/** Rise of a network's loss when only a share of the units of its layers stays. */
export interface DropoutStabilityResult extends LossFields {
  /** Kind of the result. */
  readonly kind: "dropout-stability";
  /** Loss of the network with all units. */
  readonly loss: number;
  /**
   * Share of wrong predictions of the network with all units, in `[0, 1]`; NaN if the loss has no notion of
   * errors.
   */
  readonly error: number;
  /** Layers that lose units, in the order in which the network uses them. */
  readonly layers: readonly { readonly name: string; readonly units: number }[];
  /** Reasons why other layers keep all units, by names of layers. */
  readonly left: Readonly<Record<string, string>>;
  /** Results for each share of units, in the order of the option `shares`. */
  readonly shares: readonly DropoutShare[];
  /** Way in which the units that stay were chosen. */
  readonly choice: UnitChoice;
  /** Rescaling of the units that stay. */
  readonly rescale: Rescaling;
  /** Treatment of batch norms of networks without some units. */
  readonly statistics: NormPolicy;
  /** Number of examples that were evaluated. */
  readonly examples: number;
  /** Name of the examples that were evaluated. */
  readonly data: string;
  /** Source of the network, such as its file. */
  readonly network: string;
  /** Seed of the choice of units. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
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
