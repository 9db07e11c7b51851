import type { Adapter, AdapterModule } from "./adapter.ts";
import type { MultipliedWeight } from "./kinds/multiplied-weight.ts";
import { moduleExtents } from "./read-factors.ts";

/** Shape and order of the weight that a module changes. */
interface WeightPlace {
  /** Shape of the weight. */
  readonly shape: readonly number[];
  /** Whether the weight is stored as `[in, out]`; undefined if nothing tells. */
  readonly isKnown: boolean | undefined;
}

/** A change of a matrix, which is for a matrix of a shape that is stored in one of two ways. */
interface Placed<T> {
  /** The change for a weight that is stored as `[out, in]`. */
  readonly plain: T;
  /** The change for a weight that is stored as `[in, out]`. */
  readonly turned: T;
  /** Whether the change fits a shape. */
  readonly fits: (change: T) => boolean;
  /** Whether the settings of the adapter say that weights are stored as `[in, out]`. */
  readonly isSaid: boolean;
  /** Whether the network says that this weight is; undefined if nothing tells. */
  readonly isKnown: boolean | undefined;
}

/**
 * Chooses the form of a change by the way in which its weight is stored. PEFT looks at the class of each
 * module, and stores the answer for the last one in `fan_in_fan_out`, so that the setting is wrong for some
 * modules of a network with both. Shapes tell; of a square weight the network, and else the setting.
 */
function placeChange<T>({ plain, turned, fits, isSaid, isKnown }: Placed<T>): T {
  const [isPlain, isTurned] = [fits(plain), fits(turned)];
  if (isPlain && isTurned) return (isKnown ?? isSaid) ? turned : plain;
  if (isPlain) return plain;
  return isTurned && isKnown === true ? turned : isSaid ? turned : plain;
}

/** Returns the module for the way in which its weight is stored, see {@link placeChange}. */
export function placeModule(
  adapter: Adapter,
  module: AdapterModule,
  { shape, isKnown }: WeightPlace,
): AdapterModule {
  if (module.kind === "embedding" || shape.length !== 2) return module;
  return placeChange({
    plain: { ...module, isTransposed: false },
    turned: { ...module, isTransposed: true },
    fits: (change) => String(storedExtents(adapter, change)) === String(shape),
    isSaid: module.isTransposed,
    isKnown,
  });
}

/** Returns the change of a weight for the way in which the weight is stored, see {@link placeChange}. */
export function placeMultiplied(module: MultipliedWeight, { shape, isKnown }: WeightPlace): MultipliedWeight {
  const { turned: other } = module;
  if (other === undefined || shape.length !== 2) return module;
  const isSaid = module.isTransposed === true;
  const [plain, turned] = isSaid ? [other, module] : [module, other];
  return placeChange({ plain, turned, fits: (change) => change.fits(shape), isSaid, isKnown });
}

/** Returns the numbers of rows and columns of the stored weight that a module changes. */
export function storedExtents(
  adapter: Pick<Adapter, "checkpoint">,
  module: AdapterModule,
): readonly [rows: number, columns: number] {
  const { in: inputs, out } = moduleExtents(adapter, module);
  return module.isTransposed ? [inputs, out] : [out, inputs];
}
