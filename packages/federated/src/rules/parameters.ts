/** Number of clients that a robust rule resists; one place for its description. */
export const F: { readonly description: string; readonly of: "merge"; readonly least: 0; readonly whole: true } = {
  description: "Number of clients that may send anything.",
  of: "merge",
  least: 0,
  whole: true,
};

/** Whether points count by their examples; a client that lies about its number then counts for more. */
export const WEIGHTED: {
  readonly description: string;
  readonly of: "merge";
  readonly default: boolean;
} = {
  description: "Whether updates count by their numbers of examples, which clients say themselves, not equally.",
  of: "merge",
  default: false,
};
