import { assertWholeOptions, OutOfRangeError } from "@isthmus/core";

/** Options of `fitRouters`. */
export interface FitRoutersOptions {
  /** Share of the mean of the diagonal of `X^T X` that is added to the diagonal. @defaultValue 0.01 */
  readonly ridge?: number;
  /**
   * Network whose hidden states are measured. `experts`: the mixture with all tokens of an expert's text sent
   * to that expert in every layer, once for all layers. `mixture`: the mixture with the routers found so far,
   * one layer after the other, which takes half as many passes as there are layers. @defaultValue "experts"
   */
  readonly through?: "experts" | "mixture";
  /**
   * Share of the examples of each text, the last ones, on which accuracy is measured and the scale of the
   * scores is chosen. @defaultValue 0.125
   */
  readonly held?: number;
  /**
   * Steps by which the cross-entropy of the expert is lowered after the regression, 0 for the regression
   * alone. A router that they do not improve on held tokens stays as it was. @defaultValue 50
   */
  readonly refine?: number;
  /** Examples in one engine call. @defaultValue 16 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Signal that stops the work, checked before each batch. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the share of the work that is done. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Defaults of `fitRouters`. */
export const FIT_ROUTERS_DEFAULTS: Required<FitRoutersOptions> = {
  ridge: 0.01,
  through: "experts",
  held: 0.125,
  refine: 50,
  batchSize: 16,
  threads: 0,
  signal: undefined,
  onProgress: undefined,
};

/** Checks options of routers. @throws OutOfRangeError if one is out of range */
export function assertFitOptions({ ridge, held, refine, through }: Required<FitRoutersOptions>): void {
  if (!(ridge > 0 && Number.isFinite(ridge))) {
    throw new OutOfRangeError(`Cannot fit routers as "ridge" must be above 0: it is ${ridge}`);
  }
  if (!(held > 0 && held < 1)) {
    throw new OutOfRangeError(`Cannot fit routers as "held" must be between 0 and 1: it is ${held}`);
  }
  assertWholeOptions("fit routers", { refine }, { refine: 0 });
  if (through !== "experts" && through !== "mixture") {
    throw new OutOfRangeError(
      `Cannot fit routers as "through" must be experts or mixture: it is ${String(through)}`,
    );
  }
}
