import type { FactorKind } from "./factor-kind.ts";
import { dtypeOf, openPair, rowsOfPair } from "./factor-pair.ts";

/**
 * LoRA of a convolution with a third factor, the core of a Tucker decomposition. The core and the factor
 * behind it make one factor with the kernel's extents, so that the rank stays the same.
 *
 * Source: LyCORIS, `LoConModule.get_weight`.
 */
export const loConKind: FactorKind = {
  name: "LoCon",
  peftType: undefined,
  roles: ["lora_mid.weight", "lora_up.weight", "lora_down.weight"],
  open(parts) {
    const roles = { left: "lora_up.weight", right: "lora_down.weight", core: "lora_mid.weight" };
    const pair = openPair(parts, roles, true);
    const ones = pair.inner.slice(1).map(() => 1);
    return {
      rank: pair.rank,
      shapes: { a: [pair.rank, ...pair.inner], b: [pair.rows, pair.rank, ...ones] },
      isFlat: false,
      dtype: dtypeOf(parts),
      readFactors: pair.read,
      readRows: (type) => rowsOfPair(pair, type),
    };
  },
};
