/** Options of `createEvaluator` and `createClassifier`. */
export interface EvaluatorOptions {
  /**
   * Number of examples in one engine call; smaller if their logits would exceed 2^26 numbers. @defaultValue
   * 100
   */
  readonly batchSize?: number;
  /** Number of threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /**
   * Whether weights become constants of the graph, so that the engine folds norms and chooses layouts, but
   * must prepare the graph for every network; `auto` does so for convolutions, which then run up to 1.8 times
   * faster. @defaultValue "auto"
   */
  readonly bake?: boolean | "auto";
}

/** Defaults of {@link EvaluatorOptions}. */
export const EVALUATOR_DEFAULTS: Required<EvaluatorOptions> = { batchSize: 100, threads: 0, bake: "auto" };
