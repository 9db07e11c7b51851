import type { Attack } from "./attacks/attack.ts";
import { gaussian } from "./attacks/gaussian.ts";
import { innerProduct } from "./attacks/inner-product.ts";
import { labelFlip } from "./attacks/label-flip.ts";
import { littleIsEnough } from "./attacks/little-is-enough.ts";
import { mimic } from "./attacks/mimic.ts";
import { notANumber } from "./attacks/not-a-number.ts";
import { signFlip } from "./attacks/sign-flip.ts";

/** All attacks, by name. */
export const ATTACKS: ReadonlyMap<string, Attack> = new Map(
  (
    [signFlip, innerProduct, littleIsEnough, mimic, gaussian, notANumber, labelFlip] as unknown as Attack[]
  ).map((attack) => [attack.name, attack]),
);
