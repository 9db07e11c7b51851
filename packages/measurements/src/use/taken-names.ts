/** Names that a definition of one's own cannot have, beside the names of earlier additions. */
export interface TakenNames {
  /** Kinds of other results and tasks. @defaultValue none */
  readonly kinds?: readonly string[] | undefined;
  /** Other verbs. @defaultValue none */
  readonly verbs?: readonly string[] | undefined;
  /** Keys by which entries of studies choose a maker of networks. @defaultValue none */
  readonly makers?: readonly string[] | undefined;
  /**
   * Keys that entries of studies may have beside the key that chooses a maker of networks.
   * @defaultValue none
   */
  readonly options?: readonly string[] | undefined;
}
