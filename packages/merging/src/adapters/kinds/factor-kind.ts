import type { DType, TensorInfo } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import type { ChangeRows, Factors, FactorType } from "../factors.ts";

/** The tensors of one module, by their roles, such as `hada_w1_a`. */
export interface FactorParts {
  /** Name of the module, for messages. */
  readonly module: string;
  /** Path of the adapter, for messages. */
  readonly source: string;
  /** Element type and shape of each tensor, by role. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Reads a tensor as a matrix whose first extent is the number of rows. */
  readonly read: (role: string, type: FactorType) => Promise<Matrix>;
}

/** Change of a weight that is computed from other factors than the two of LoRA. */
export interface FactoredChange {
  /** Rank by which `alpha` is divided; undefined if all factors are whole matrices, whose scale is 1. */
  readonly rank: number | undefined;
  /** Shapes of the two factors that have the same product, `[rank, in, ...]` and `[out, rank, ...]`. */
  readonly shapes: { readonly a: readonly number[]; readonly b: readonly number[] };
  /** Whether the kernel of a convolution would be flat in the shapes, as it is in the file. */
  readonly isFlat: boolean;
  /** Element type of the factors. */
  readonly dtype: DType;
  /** Computes the two factors, whose product is the change before it is scaled. */
  readonly readFactors: (type: FactorType) => Promise<Factors>;
  /** Reads the factors, and returns a function that computes rows of the change before it is scaled. */
  readonly readRows: (type: FactorType) => Promise<ChangeRows>;
}

/** A kind of adapter whose changes are computed from other factors than the two of LoRA. */
export interface FactorKind {
  /** Common name of the kind, such as `LoHa`. */
  readonly name: string;
  /** Type in `adapter_config.json` of PEFT; undefined for a kind that PEFT does not have. */
  readonly peftType: string | undefined;
  /** Roles of tensors, which are the ends of their names after a dot; the first shows the kind. */
  readonly roles: readonly string[];
  /**
   * Checks the factors of a module.
   * @throws MismatchError if a factor is missing, or shapes do not fit each other
   */
  readonly open: (parts: FactorParts) => FactoredChange;
}
