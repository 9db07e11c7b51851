import type { FactorKind } from "./factor-kind.ts";
import { ia3Kind } from "./ia3.ts";
import { loConKind } from "./locon.ts";
import { loHaKind } from "./loha.ts";
import { loKrKind } from "./lokr.ts";
import type { MultipliedKind } from "./multiplied-weight.ts";
import { oftKind } from "./oft.ts";

/** Kinds of adapters whose changes are products of other factors than the two of LoRA. */
export const FACTOR_KINDS: readonly FactorKind[] = [loConKind, loHaKind, loKrKind];

/** Kinds of adapters whose changes multiply weights. */
export const MULTIPLIED_KINDS: readonly MultipliedKind[] = [oftKind, ia3Kind];
