import { boftKind } from "./boft.ts";
import type { FactorKind } from "./factor-kind.ts";
import { hraKind } from "./hra.ts";
import { ia3Kind } from "./ia3.ts";
import { loConKind } from "./locon.ts";
import { loHaKind } from "./loha.ts";
import { loKrKind } from "./lokr.ts";
import { lycorisIa3Kind } from "./lycoris-ia3.ts";
import { lycorisOftKind } from "./lycoris-oft.ts";
import type { MultipliedKind } from "./multiplied-weight.ts";
import { oftKind } from "./oft.ts";
import { trainableTokensKind } from "./trainable-tokens.ts";
import { veraKind } from "./vera.ts";

/** Kinds of adapters whose changes are products of other factors than the two of LoRA. */
export const FACTOR_KINDS: readonly FactorKind[] = [loConKind, loHaKind, loKrKind];

/** Kinds of adapters whose changes multiply weights, or need the shapes of weights. */
export const MULTIPLIED_KINDS: readonly MultipliedKind[] = [
  oftKind,
  boftKind,
  hraKind,
  ia3Kind,
  veraKind,
  trainableTokensKind,
  lycorisOftKind,
  lycorisIa3Kind,
];
